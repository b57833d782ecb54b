;; It imports a function that no plugin is given. What stops it: its imports, compared before anything
;; of it runs.
(module
  (import "wasm-lab:plugins/secrets@1.0.0" "password" (func $password (param i32)))
  (memory (export "memory") 2)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasm-lab:plugins/transform@1.0.0#describe") (result i32) (unreachable))
  (func (export "wasm-lab:plugins/transform@1.0.0#apply") (param i32 i32 i32 i32 i32) (result i32) (unreachable)))
