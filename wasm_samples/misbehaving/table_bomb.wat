;; Grows a table, whose elements take the host's memory and none of the guest's own.
;;
;; It asks for a million elements at a time, up to 64 million (about 512 MiB of the host), and
;; ends with the number of millions that it got as its status.
;;
;; Expected: less than 64 with the default limits.
;;
;; ```console
;; $ wasm-lab run --memory 64MiB misbehaving/table_bomb.wat
;; ...
;; ```
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (table $table 0 funcref)
  (func (export "_start") (local $millions i32)
    (loop $again
      (if (i32.eq (table.grow $table (ref.null func) (i32.const 1000000)) (i32.const -1))
        (then (call $proc_exit (local.get $millions))))
      (local.set $millions (i32.add (local.get $millions) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $millions) (i32.const 64))))
    (call $proc_exit (local.get $millions))))
