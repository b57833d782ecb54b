;; Uses descriptors that were never opened, and closes its standard ones.
;;
;; Expected: errno 8 (badf) for each; the exit status is the number of the first call that
;; answered otherwise, counted from 1, or 0.
;;
;; ```console
;; $ wasm-lab run misbehaving/bad_descriptors.wat
;; ```
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $fd_prestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_renumber" (func $fd_renumber (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\05\00\00\00" "lost\n")

  (func $check (param $number i32) (param $errno i32)
    (if (i32.ne (local.get $errno) (i32.const 8)) (then (call $proc_exit (local.get $number)))))

  (func (export "_start")
    (call $check (i32.const 1) (call $fd_write (i32.const 99) (i32.const 0) (i32.const 1) (i32.const 64)))
    (call $check (i32.const 2) (call $fd_read (i32.const -1) (i32.const 0) (i32.const 1) (i32.const 64)))
    (call $check (i32.const 3) (call $fd_prestat_get (i32.const 3) (i32.const 64)))
    (call $check (i32.const 4) (call $fd_renumber (i32.const 99) (i32.const 1)))
    (call $check (i32.const 5) (call $fd_close (i32.const 99)))
    (drop (call $fd_close (i32.const 1)))
    (call $check (i32.const 6) (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64)))))
