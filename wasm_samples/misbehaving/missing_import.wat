;; Imports a function that no host here has.
;;
;; Expected: it is not loaded, and the message names the import.
;;
;; ```console
;; $ wasm-lab run misbehaving/missing_import.wat
;; ...
;; [exit status 1]
;; ```
(module
  (import "moon" "phase" (func $phase (param i32) (result i32)))
  (func (export "_start") (drop (call $phase (i32.const 1)))))
