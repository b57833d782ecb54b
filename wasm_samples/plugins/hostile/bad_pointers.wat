;; Its answer is a list that lies beyond its memory. What stops it: the reading of the answer, which
;; checks every pointer.
(module
  (memory (export "memory") 2)
  (data (i32.const 0) "\40\00\00\00\0c\00\00\00") ;; a description: its name, and nothing else
  (data (i32.const 64) "bad-pointers")
  (data (i32.const 1024) "\00\00\00\00\01\00\00\00\f0\ff\ff\ff\ff\00\00\00") ;; ok, binary, at 0xfffffff0, 255 bytes
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasm-lab:plugins/transform@1.0.0#describe") (result i32) (i32.const 0))
  (func (export "wasm-lab:plugins/transform@1.0.0#apply") (param i32 i32 i32 i32 i32) (result i32)
    (i32.const 1024)))
