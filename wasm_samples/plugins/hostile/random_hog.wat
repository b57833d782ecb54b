;; It asks for 2^40 random bytes in one call. What stops it: the host's bound on them, a trap.
(module
  (import "wasi:random/random@0.2.0" "get-random-bytes" (func $random (param i64 i32)))
  (memory (export "memory") 2)
  (data (i32.const 0) "\40\00\00\00\0a\00\00\00") ;; a description: its name, and nothing else
  (data (i32.const 64) "random-hog")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasm-lab:plugins/transform@1.0.0#describe") (result i32) (i32.const 0))
  (func (export "wasm-lab:plugins/transform@1.0.0#apply") (param i32 i32 i32 i32 i32) (result i32)
    (call $random (i64.const 0x10000000000) (i32.const 2048))
    (i32.const 1024)))
