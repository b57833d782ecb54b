;; Its `apply` never comes back. What stops it: the deadline of the call.
(module
  (memory (export "memory") 2)
  (data (i32.const 0) "\40\00\00\00\0c\00\00\00") ;; a description: its name, and nothing else
  (data (i32.const 64) "endless-loop")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasm-lab:plugins/transform@1.0.0#describe") (result i32) (i32.const 0))
  (func (export "wasm-lab:plugins/transform@1.0.0#apply") (param i32 i32 i32 i32 i32) (result i32)
    (loop $for_ever (br $for_ever))
    (unreachable)))
