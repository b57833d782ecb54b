;; Declares eight memories of 48 MiB each, so that a limit on each of them would not be enough.
;;
;; Expected: refused when all together are beyond the memory limit, or because several memories
;; are not supported.
;;
;; ```console
;; $ wasm-lab run --memory 64MiB misbehaving/many_memories.wat
;; ...
;; [exit status 134]
;; ```
(module
  (memory (export "memory") 768)
  (memory 768) (memory 768) (memory 768) (memory 768) (memory 768) (memory 768) (memory 768)
  (func (export "_start")))
