;; It answers twice as it should (with nothing) and traps in the third call.
;; What it costs: that call; a fresh instance takes the next.
(module
  (memory (export "memory") 2)
  (data (i32.const 0) "\40\00\00\00\09\00\00\00") ;; a description: its name, and nothing else
  (data (i32.const 64) "late-trap")
  (global $calls (mut i32) (i32.const 0))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "wasm-lab:plugins/transform@1.0.0#describe") (result i32) (i32.const 0))
  (func (export "wasm-lab:plugins/transform@1.0.0#apply") (param i32 i32 i32 i32 i32) (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (if (i32.gt_u (global.get $calls) (i32.const 2)) (then (unreachable)))
    (i32.const 1024)))
