// Runs one WASI command in V8 by node:wasi, and reports how it went on a descriptor of its own.
//
// Arguments: a file of settings, and the number of the descriptor. The report is one line of JSON: `status` or `failure`, the phases in
// nanoseconds and the size of linear memory. The guest has its own table of descriptors, in which the
// report's is not.
"use strict";
const { readFileSync, writeSync } = require("node:fs");
const { WASI } = require("node:wasi");

const settings = JSON.parse(readFileSync(process.argv[2], "utf8"));
const report = { phases: {} };

Error.stackTraceLimit = 20;

function timed(phase, work) {
  const start = process.hrtime.bigint();
  try {
    return work();
  } finally {
    report.phases[phase] = Number(process.hrtime.bigint() - start);
  }
}

function failure(stage, error) {
  return {
    stage,
    type: error && error.constructor ? error.constructor.name : typeof error,
    message: error instanceof Error ? String(error.message) : String(error),
    stack: error instanceof Error ? String(error.stack) : "",
  };
}

function main() {
  let module, instance, stage = "load";
  try {
    const bytes = readFileSync(settings.wasm);
    module = timed("compile", () => new WebAssembly.Module(bytes));
    report.exports = WebAssembly.Module.exports(module).map((each) => each.name);
    if (!report.exports.includes("_start")) return;
    const wasi = new WASI({
      version: "preview1",
      args: settings.args,
      env: settings.env,
      preopens: settings.preopens,
      returnOnExit: true,
    });
    const imports = { wasi_snapshot_preview1: wasi.wasiImport, wasi_unstable: wasi.wasiImport };
    stage = "instantiate";
    instance = timed("instantiate", () => new WebAssembly.Instance(module, imports));
    stage = "run";
    report.status = timed("run", () => wasi.start(instance));
  } catch (error) {
    report.failure = failure(stage, error);
  }
  const memory = instance && instance.exports.memory;
  if (memory instanceof WebAssembly.Memory) report.memory = memory.buffer.byteLength;
}

main();
writeSync(Number(process.argv[3]), JSON.stringify(report) + "\n");
// What the guest left undone (nothing that WASI knows) does not keep the process.
process.exit(0);
