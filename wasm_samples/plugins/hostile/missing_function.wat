;; It exports the interface by its name and version, and in it no `apply`: it lies about what it is.
;; What stops it: its functions, compared before anything of it runs.
(module
  (memory (export "memory") 2)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasm-lab:plugins/transform@1.0.0#describe") (result i32) (unreachable)))
