;; Makes a WASI call without exporting a memory for the host to write into.
;;
;; Expected: a message that says so, or a trap; the host survives.
;;
;; ```console
;; $ wasm-lab run misbehaving/no_memory.wat
;; ...
;; [exit status 134]
;; ```
(module
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (func (export "_start") (drop (call $random_get (i32.const 0) (i32.const 8)))))
