;; Declares 4 GiB of memory from the start.
;;
;; Expected: refused by the memory limit before it runs.
;;
;; ```console
;; $ wasm-lab run --memory 64MiB misbehaving/huge_memory.wat
;; ...
;; [exit status 134]
;; ```
(module
  (memory (export "memory") 65536)
  (func (export "_start")))
