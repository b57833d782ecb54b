;; Loops for ever before any function of it is called: in the module's start section.
;;
;; Expected: the deadline ends it, though it is still being instantiated.
;;
;; ```console
;; $ wasm-lab run --timeout 300ms misbehaving/slow_start.wat
;; ...
;; [exit status 124]
;; ```
(module
  (func $forever (loop $again (br $again)))
  (start $forever)
  (func (export "_start")))
