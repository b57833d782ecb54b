;; It calls itself without end. What stops it: the end of the call stack, a trap.
(module
  (memory (export "memory") 2)
  (data (i32.const 0) "\40\00\00\00\0a\00\00\00") ;; a description: its name, and nothing else
  (data (i32.const 64) "stack-bomb")
  (func $deeper (param i64) (result i64)
    (i64.add (call $deeper (i64.add (local.get 0) (i64.const 1))) (i64.const 1)))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasm-lab:plugins/transform@1.0.0#describe") (result i32) (i32.const 0))
  (func (export "wasm-lab:plugins/transform@1.0.0#apply") (param i32 i32 i32 i32 i32) (result i32)
    (call $deeper (i64.const 1))
    (i32.wrap_i64)))
