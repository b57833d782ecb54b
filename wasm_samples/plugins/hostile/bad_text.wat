;; It describes itself by a name that is no UTF-8. What stops it: the reading of the description;
;; it is never loaded.
(module
  (memory (export "memory") 2)
  (data (i32.const 0) "\40\00\00\00\08\00\00\00") ;; a description: its name, and nothing else
  (data (i32.const 64) "bad\fftext")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasm-lab:plugins/transform@1.0.0#describe") (result i32) (i32.const 0))
  (func (export "wasm-lab:plugins/transform@1.0.0#apply") (param i32 i32 i32 i32 i32) (result i32)
    (i32.const 1024)))
