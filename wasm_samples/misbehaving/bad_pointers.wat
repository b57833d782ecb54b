;; Makes a host call with pointers beyond its memory, or with sizes that reach beyond it.
;;
;; The first argument, one letter from a to k, says which; see the table of functions below.
;;
;; Expected: the call answers errno 21 (fault) or 28 (inval) and the program ends with that as
;; its status (or 48, nomem, for what is too long), or the guest is stopped. The host survives and touches nothing.
;;
;; ```console
;; $ wasm-lab run misbehaving/bad_pointers.wat a
;; ...
;; ```
(module
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  ;; At 2048: an iovec whose buffer lies beyond the memory. At 2056: one whose length does.
  ;; At 2064: one that wraps around the end of 32 bits.
  (data (i32.const 2048)
    "\00\00\01\00\10\00\00\00" "\00\ff\00\00\00\00\10\00" "\f0\ff\ff\ff\20\00\00\00")
  (type $call (func (result i32)))

  (func $buffer_beyond (type $call)
    (call $fd_write (i32.const 1) (i32.const 2048) (i32.const 1) (i32.const 64)))
  (func $length_beyond (type $call)
    (call $fd_write (i32.const 1) (i32.const 2056) (i32.const 1) (i32.const 64)))
  (func $wraps_around (type $call)
    (call $fd_write (i32.const 1) (i32.const 2064) (i32.const 1) (i32.const 64)))
  (func $list_beyond (type $call)
    (call $fd_write (i32.const 1) (i32.const -8) (i32.const 1) (i32.const 64)))
  (func $list_too_long (type $call)
    (call $fd_write (i32.const 1) (i32.const 2048) (i32.const 0x1fffffff) (i32.const 64)))
  (func $read_beyond (type $call)
    (call $fd_read (i32.const 0) (i32.const 2048) (i32.const 1) (i32.const 64)))
  (func $random_beyond (type $call)
    (call $random_get (i32.const 65530) (i32.const 16)))
  (func $random_too_much (type $call)
    (call $random_get (i32.const 16) (i32.const -1)))
  (func $result_beyond (type $call)
    (call $clock_time_get (i32.const 0) (i64.const 1) (i32.const 65536)))
  (func $poll_too_many (type $call)
    (call $poll_oneoff (i32.const 0) (i32.const 1024) (i32.const 0x0fffffff) (i32.const 64)))
  (func $path_beyond (type $call)
    (call $path_open
      (i32.const 3) (i32.const 0) (i32.const 65530) (i32.const 4096)
      (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 64)))

  (table $all funcref (elem
    $buffer_beyond $length_beyond $wraps_around $list_beyond $list_too_long $read_beyond
    $random_beyond $random_too_much $result_beyond $poll_too_many $path_beyond))

  ;; args_get writes pointers from 0 on and the texts from 1024 on; the second pointer is at 4.
  (func (export "_start")
    (drop (call $args_get (i32.const 0) (i32.const 1024)))
    (call $proc_exit
      (call_indirect $all (type $call)
        (i32.sub (i32.load8_u (i32.load (i32.const 4))) (i32.const 97))))))
