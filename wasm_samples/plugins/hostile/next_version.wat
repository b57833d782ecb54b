;; It is made for version 2 of the interface, which this host does not know.
;; What stops it: the version, read before anything of it runs.
(module
  (memory (export "memory") 2)
  (data (i32.const 0) "\40\00\00\00\0c\00\00\00") ;; a description: its name, and nothing else
  (data (i32.const 64) "next-version")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasm-lab:plugins/transform@2.0.0#describe") (result i32) (i32.const 0))
  (func (export "wasm-lab:plugins/transform@2.0.0#apply") (param i32 i32 i32 i32 i32) (result i32)
    (i32.const 1024)))
