;; It logs without end. What stops it: the output limit of the call.
(module
  (import "wasm-lab:plugins/host@1.0.0" "log" (func $log (param i32 i32 i32)))
  (memory (export "memory") 2)
  (data (i32.const 0) "\40\00\00\00\09\00\00\00") ;; a description: its name, and nothing else
  (data (i32.const 64) "log-flood")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasm-lab:plugins/transform@1.0.0#describe") (result i32) (i32.const 0))
  (func (export "wasm-lab:plugins/transform@1.0.0#apply") (param i32 i32 i32 i32 i32) (result i32)
    (loop $for_ever
      (call $log (i32.const 3) (i32.const 64) (i32.const 9))
      (br $for_ever))
    (unreachable)))
