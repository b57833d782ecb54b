;; A valid module with nothing in it to run or call.
;;
;; Expected: a message that there is no `_start` and no exported function.
;;
;; ```console
;; $ wasm-lab run misbehaving/no_entry.wat
;; ...
;; [exit status 1]
;; ```
(module
  (memory 1)
  (func (result i32) (i32.const 42)))
