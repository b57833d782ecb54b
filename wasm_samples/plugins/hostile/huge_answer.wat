;; Its answer is a text of 1 GiB, which it says it has. What stops it: its memory is not that large.
(module
  (memory (export "memory") 2)
  (data (i32.const 0) "\40\00\00\00\0b\00\00\00") ;; a description: its name, and nothing else
  (data (i32.const 64) "huge-answer")
  (data (i32.const 1024) "\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\40") ;; ok, text, at 0, 2^30 bytes
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasm-lab:plugins/transform@1.0.0#describe") (result i32) (i32.const 0))
  (func (export "wasm-lab:plugins/transform@1.0.0#apply") (param i32 i32 i32 i32 i32) (result i32)
    (i32.const 1024)))
