// What of WASI preview 1 a function of a cell can use in a worker: output, random bytes, the clock.
// There are no files, arguments or variables; a worker's clock stands still while it computes.
const SUCCESS = 0;
const BADF = 8; // errno values: WASI preview 1, witx/typenames.witx
const INVAL = 28;
const NOSYS = 52;
const LARGEST_DRAW = 65536; // bytes, of one crypto.getRandomValues

// The imports of a module, and `memory`, which is to be set once there is an instance.
export function imports(module, name) {
  const state = { memory: null, imports: {}, flush };
  const lines = { 1: "", 2: "" };
  const decoders = { 1: new TextDecoder(), 2: new TextDecoder() };
  const view = () => new DataView(state.memory.buffer);

  // Tell what was not yet told, and give what went to standard error.
  function flush() {
    const errors = lines[2];
    for (const stream of [1, 2]) {
      const told = lines[stream].replace(/\n$/, "");
      lines[stream] = "";
      if (told) (stream === 1 ? console.log : console.error)(told);
    }
    return errors;
  }

  function nothing(countAt, sizeAt) {
    view().setUint32(countAt, 0, true);
    view().setUint32(sizeAt, 0, true);
    return SUCCESS;
  }

  const calls = {
    args_get: () => SUCCESS,
    args_sizes_get: nothing,
    environ_get: () => SUCCESS,
    environ_sizes_get: nothing,
    clock_res_get(clock, at) {
      view().setBigUint64(at, 1_000_000n, true);
      return SUCCESS;
    },
    clock_time_get(clock, precision, at) {
      view().setBigUint64(at, BigInt(Date.now()) * 1_000_000n, true);
      return SUCCESS;
    },
    fd_write(fd, vectors, count, writtenAt) {
      if (fd !== 1 && fd !== 2) return BADF;
      let written = 0;
      for (let index = 0; index < count; index++) {
        const at = view().getUint32(vectors + 8 * index, true);
        const size = view().getUint32(vectors + 8 * index + 4, true);
        lines[fd] += decoders[fd].decode(new Uint8Array(state.memory.buffer, at, size), { stream: true });
        written += size;
      }
      view().setUint32(writtenAt, written, true);
      return SUCCESS;
    },
    fd_read(fd, vectors, count, readAt) {
      if (fd !== 0) return BADF;
      view().setUint32(readAt, 0, true); // standard input is at its end
      return SUCCESS;
    },
    fd_fdstat_get(fd, at) {
      if (fd > 2) return BADF;
      new Uint8Array(state.memory.buffer, at, 24).fill(0);
      view().setUint8(at, 2); // a character device
      return SUCCESS;
    },
    fd_close: () => BADF,
    fd_seek: () => BADF,
    fd_prestat_get: () => BADF,
    fd_prestat_dir_name: () => BADF,
    random_get(at, size) {
      for (let done = 0; done < size; done += LARGEST_DRAW)
        crypto.getRandomValues(new Uint8Array(state.memory.buffer, at + done, Math.min(LARGEST_DRAW, size - done)));
      return SUCCESS;
    },
    sched_yield: () => SUCCESS,
    poll_oneoff: () => INVAL, // nothing here can wait: sleep by `await` in JavaScript
    proc_exit(status) {
      throw new Error(`it ended the program with status ${status}`);
    },
  };

  for (const each of WebAssembly.Module.imports(module)) {
    const known = each.module === "wasi_snapshot_preview1" && each.kind === "function";
    if (!known) throw new Error(`${name} imports ${each.module}.${each.name}, which a worker does not have: instantiate it yourself, with import module from "./${name}.wasm"`);
    (state.imports[each.module] ??= {})[each.name] = calls[each.name] ?? (() => NOSYS);
  }
  return state;
}
