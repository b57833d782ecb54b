;; It takes 1 MiB at a time and never gives any back, then goes on without.
;; What stops it: the memory limit; then its own trap.
(module
  (memory (export "memory") 2)
  (data (i32.const 0) "\40\00\00\00\0b\00\00\00") ;; a description: its name, and nothing else
  (data (i32.const 64) "memory-bomb")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasm-lab:plugins/transform@1.0.0#describe") (result i32) (i32.const 0))
  (func (export "wasm-lab:plugins/transform@1.0.0#apply") (param i32 i32 i32 i32 i32) (result i32)
    (loop $more
      (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
    (unreachable)))
