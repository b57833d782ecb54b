;; Each trap that the WebAssembly specification knows, one exported function for each.
;;
;; `_start` runs the one whose number, one digit, is the first argument.
;;
;; Expected: the kind of trap that the function's name says.
;;
;; ```console
;; $ wasm-lab run --invoke divide_by_zero misbehaving/traps.wat
;; ...
;; [exit status 134]
;; $ wasm-lab run misbehaving/traps.wat 4
;; ...
;; [exit status 134]
;; ```
(module
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (type $none (func))
  (type $number (func (result i32)))
  (table $table 3 funcref)
  (elem (table $table) (i32.const 0) func $unreachable)

  (func $unreachable (export "unreachable") (unreachable))
  (func $out_of_bounds (export "out_of_bounds") (drop (i32.load (i32.const 65536))))
  (func $divide_by_zero (export "divide_by_zero")
    (drop (i32.div_u (i32.const 1) (i32.const 0))))
  (func $integer_overflow (export "integer_overflow")
    (drop (i32.div_s (i32.const 0x80000000) (i32.const -1))))
  (func $bad_conversion (export "bad_conversion")
    (drop (i32.trunc_f64_s (f64.const nan))))
  (func $indirect_call_type (export "indirect_call_type")
    (drop (call_indirect $table (type $number) (i32.const 0))))
  (func $indirect_call_null (export "indirect_call_null")
    (call_indirect $table (type $none) (i32.const 1)))
  (func $indirect_call_beyond (export "indirect_call_beyond")
    (call_indirect $table (type $none) (i32.const 3)))
  (func $table_out_of_bounds (export "table_out_of_bounds") (drop (table.get $table (i32.const 3))))
  (func $stack_overflow (export "stack_overflow") (call $stack_overflow) (call $nothing))
  (func $nothing)

  (table $all funcref (elem
    $unreachable $out_of_bounds $divide_by_zero $integer_overflow $bad_conversion
    $indirect_call_type $indirect_call_null $indirect_call_beyond $table_out_of_bounds $stack_overflow))

  ;; args_get writes pointers from 0 on and the texts from 1024 on; the second pointer is at 4.
  (func (export "_start")
    (drop (call $args_get (i32.const 0) (i32.const 1024)))
    (call_indirect $all (type $none)
      (i32.sub (i32.load8_u (i32.load (i32.const 4))) (i32.const 48)))))
