// The browser as a place to measure: starts one fresh Web Worker after the other, passes samples on to
// the kernel as they come, and stops a worker that is silent for longer than its deadline.

function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    name.startsWith("on") ? node.addEventListener(name.slice(2), value) : node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// The browser and the engine behind it, as far as it tells.
function engine() {
  const agent = navigator.userAgent;
  for (const [pattern, name, by] of [
    [/Edg\/([\d.]+)/, "Edge", "V8"], [/Firefox\/([\d.]+)/, "Firefox", "SpiderMonkey"],
    [/(?:Headless)?Chrome\/([\d.]+)/, "Chrome", "V8"], [/Version\/([\d.]+).*Safari/, "Safari", "JavaScriptCore"],
  ]) {
    const found = agent.match(pattern);
    if (found) return `${name} ${found[1]} (${by})`;
  }
  return agent.slice(0, 80);
}

class Runner {
  constructor(model) {
    this.model = model;
    this.views = new Set();
    this.text = "Waiting for the kernel …";
    this.state = "waiting";
    this.waiting = [];
    model.on("msg:custom", (content, buffers) => this.received(content, buffers));
    const platform = navigator.userAgentData?.platform || navigator.platform || "";
    this.ask({ kind: "hello", engine: engine(), platform, cores: navigator.hardwareConcurrency || 0 });
  }

  ask(content, buffers) {
    this.model.send(content, undefined, buffers);
  }

  say(state, text) {
    this.state = state;
    this.text = text;
    for (const view of this.views) view();
  }

  received(content, buffers) {
    switch (content.kind) {
      case "start":
        this.plan = content;
        // A copy: the buffer of a message may be shared with others.
        [this.wasm, this.arguments] = buffers.map((each) =>
          new Uint8Array(each.buffer ? each.buffer.slice(each.byteOffset, each.byteOffset + each.byteLength) : each.slice(0)));
        this.url = URL.createObjectURL(new Blob([content.worker], { type: "text/javascript" }));
        this.say("running", "Comparing the answers …");
        this.work({ task: "answer" }, () => {});
        break;
      case "measure":
        this.measure(0);
        break;
      case "told":
        this.say(content.state, content.text);
        break;
    }
  }

  measure(process) {
    if (process === this.plan.processes) {
      this.flush();
      this.ask({ kind: "done" });
      URL.revokeObjectURL(this.url);
      return;
    }
    this.say("running", `Measuring: worker ${process + 1} of ${this.plan.processes} …`);
    this.work({ task: "measure", process, batch_ms: this.plan.batch_ms, blocks: this.plan.blocks }, () => this.measure(process + 1));
  }

  // One worker: ended when it says so, or when nothing came from it for the deadline.
  work(task, ended) {
    const worker = new Worker(this.url);
    this.worker = worker;
    let timer = null;
    const stop = () => {
      clearTimeout(timer);
      worker.terminate();
      this.worker = null;
    };
    const fail = (message) => {
      stop();
      this.flush();
      this.ask({ kind: "failed", message });
      this.say("failed", message);
    };
    this.cancel = () => fail("It was stopped by hand.");
    const watch = () => {
      clearTimeout(timer);
      timer = setTimeout(() => fail(`Nothing came from the worker for ${this.plan.deadline_s} s, so it was stopped.`), this.plan.deadline_s * 1000);
    };
    watch();
    worker.onerror = (event) => fail(event.message || "The worker could not be started.");
    worker.onmessage = ({ data }) => {
      watch();
      if (data.kind === "failed") fail(data.message);
      else if (data.kind === "answers") this.ask({ kind: "answers", twin: data.twin }, [data.wasm.buffer]);
      else if (data.kind === "sample") this.sample(data);
      else if (data.kind === "ended") {
        stop();
        ended();
      }
    };
    worker.postMessage({ ...task, wasm: this.wasm, arguments: this.arguments, twin: this.plan.twin });
  }

  sample({ row, step }) {
    this.step = step;
    this.waiting.push([...row, Date.now() / 1000]);
    if (!this.timer) this.timer = setTimeout(() => this.flush(), 150); // at most seven messages a second
  }

  flush() {
    clearTimeout(this.timer);
    this.timer = null;
    if (this.waiting.length) this.model.send({ kind: "samples", rows: this.waiting.splice(0), step_ms: this.step });
  }
}

export default {
  initialize({ model }) {
    const runner = new Runner(model);
    model.wasmLabRunner = runner;
    runners.set(model.model_id ?? model, runner);
  },
  render({ model, el }) {
    const runner = runners.get(model.model_id ?? model) || model.wasmLabRunner || [...runners.values()].pop();
    const status = h("output", { role: "status", "aria-live": "polite" });
    const stop = h("button", { type: "button", onclick: () => runner.worker && runner.cancel() }, "Stop");
    const root = h("section", { class: "wlb", "aria-label": "Measurement in this browser" }, status, stop);
    const draw = () => {
      status.textContent = runner.text;
      root.dataset.state = runner.state;
      stop.hidden = runner.state !== "running";
    };
    runner.views.add(draw);
    draw();
    el.append(root);
    return () => runner.views.delete(draw);
  },
};

const runners = new Map();
