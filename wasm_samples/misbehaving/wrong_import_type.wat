;; Imports a WASI function under a wrong type.
;;
;; Expected: it is not loaded, and the message names the import and the types.
;;
;; ```console
;; $ wasm-lab run misbehaving/wrong_import_type.wat
;; ...
;; [exit status 1]
;; ```
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i64) (result i64)))
  (memory (export "memory") 1)
  (func (export "_start") (drop (call $fd_write (i64.const 1)))))
