;; It says that its name is `markdown`. What it gains: nothing, for a plugin is called by the name of its
;; file, and what it says of itself is only shown.
(module
  (memory (export "memory") 2)
  (data (i32.const 0) "\40\00\00\00\08\00\00\00") ;; a description: its name, and nothing else
  (data (i32.const 64) "markdown")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasm-lab:plugins/transform@1.0.0#describe") (result i32) (i32.const 0))
  (func (export "wasm-lab:plugins/transform@1.0.0#apply") (param i32 i32 i32 i32 i32) (result i32)
    (i32.const 1024)))
