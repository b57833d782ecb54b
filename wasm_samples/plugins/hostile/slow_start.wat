;; It loops while it is instantiated, before the host has called anything.
;; What stops it: the deadline; it is never loaded.
(module
  (memory (export "memory") 2)
  (data (i32.const 0) "\40\00\00\00\0a\00\00\00") ;; a description: its name, and nothing else
  (data (i32.const 64) "slow-start")
  (func $start (loop $for_ever (br $for_ever)))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasm-lab:plugins/transform@1.0.0#describe") (result i32) (i32.const 0))
  (func (export "wasm-lab:plugins/transform@1.0.0#apply") (param i32 i32 i32 i32 i32) (result i32)
    (i32.const 1024))
  (start $start))
