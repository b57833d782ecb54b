;; It opens drawers and keeps every one, until the host gives it no more; then it answers.
;; What bounds it: the number of drawers; the host closes them all with the instance.
(module
  (import "wasm-lab:plugins/host@1.0.0" "[static]drawer.open" (func $open (param i32 i32 i32)))
  (memory (export "memory") 2)
  (data (i32.const 0) "\40\00\00\00\07\00\00\00") ;; a description: its name, and nothing else
  (data (i32.const 64) "hoarder")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasm-lab:plugins/transform@1.0.0#describe") (result i32) (i32.const 0))
  (func (export "wasm-lab:plugins/transform@1.0.0#apply") (param i32 i32 i32 i32 i32) (result i32)
    (loop $more
      (call $open (i32.const 64) (i32.const 7) (i32.const 2048))
      (br_if $more (i32.eqz (i32.load8_u (i32.const 2048)))))
    (i32.const 1024)))
