;; The interface and its version are right, and `apply` has other types: a string in, a string out.
;; What stops it: its types, compared before anything of it runs.
(module
  (memory (export "memory") 2)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasm-lab:plugins/transform@1.0.0#describe") (result i32) (unreachable))
  (func (export "wasm-lab:plugins/transform@1.0.0#apply") (param i32 i32) (result i32) (unreachable)))
