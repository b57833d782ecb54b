;; Asks for a file whose name is not UTF-8, by path_open of descriptor 3 (the first opened folder).
;;
;; Expected: the exit status is the errno 25 (ilseq). Without an open folder a host may look at
;; the descriptor first and answer 8 (badf).
;;
;; Capabilities: `--dir-ro HOST::/sandbox`.
;;
;; ```console
;; $ mkdir work
;; $ wasm-lab run --dir-ro work::/sandbox misbehaving/non_utf8_path.wat
;; [exit status 25]
;; ```
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "caf\e9\ff\fe.txt")
  (func (export "_start")
    (call $proc_exit
      (call $path_open
        (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 10)
        (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 64)))))
