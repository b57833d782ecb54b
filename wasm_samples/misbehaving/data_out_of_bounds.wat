;; Carries data for a place beyond its memory.
;;
;; Expected: a trap while it is instantiated ("out of bounds memory access").
;;
;; ```console
;; $ wasm-lab run misbehaving/data_out_of_bounds.wat
;; ...
;; [exit status 134]
;; ```
(module
  (memory 1)
  (data (i32.const 65535) "two")
  (func (export "_start")))
