;; It declares 4 GiB from the start. What stops it: the memory limit; it is never loaded.
(module
  (memory (export "memory") 65536)
  (data (i32.const 0) "\40\00\00\00\0b\00\00\00") ;; a description: its name, and nothing else
  (data (i32.const 64) "huge-memory")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasm-lab:plugins/transform@1.0.0#describe") (result i32) (i32.const 0))
  (func (export "wasm-lab:plugins/transform@1.0.0#apply") (param i32 i32 i32 i32 i32) (result i32)
    (i32.const 1024)))
