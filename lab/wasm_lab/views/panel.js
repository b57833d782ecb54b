// The capability panel in the browser. The form lives here; every change is sent whole to the
// kernel, which answers with what to show. Nothing is kept in synchronised state.

let made = 0;

function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((each) => each !== null && each !== undefined));
  return node;
}

// Fields that are one text: key, label, an example, what it means.
const TEXTS = {
  args: ["Arguments", "one 'two words'", "As in a shell, with quotation marks."],
  program: ["Own name (argv[0])", "the cell's name", ""],
  hosts: ["Outbound hosts", "example.com:443", "host:port, with blanks between."],
  frozen_ns: ["Stands at (ns since 1970)", "946684800000000000", ""],
  seed: ["Seed", "0", "The same bytes in every run."],
  memory: ["Linear memory at most", "512MiB", "Such as 64MiB, or none."],
  fuel: ["Fuel at most (instructions)", "not counted", "Empty: not counted. Counting slows the guest."],
  deadline: ["Deadline", "10s", "Such as 500ms or 60s."],
  output: ["Output at most", "4MiB", "Such as 64KiB, or none."],
  call_args: ["Arguments", "32, [1.0, 2.5], 'text'", "Python literals with commas between."],
};

class View {
  constructor(model, el) {
    this.model = model;
    this.id = `wlp-${++made}-${Math.random().toString(36).slice(2, 8)}`;
    this.fields = new Map(); // key -> {input, note, box}
    this.rows = { env: [], dirs: [] };
    this.serial = 0;
    this.sent = new Map(); // serial -> when
    this.root = h("section", { class: "wlp", "aria-label": "Capability panel", "data-state": "connecting",
      "data-lm-suppress-shortcuts": "true" });
    // JupyterLab has shortcuts on Enter, arrows and letters, and would take them from fields and switches.
    this.root.addEventListener("keydown", (event) => {
      if (!event.ctrlKey && !event.metaKey && event.key !== "Escape") event.stopPropagation();
    });
    this.root.append(h("p", { class: "wlp-muted" }, "Waiting for the kernel …"));
    el.append(this.root);
    this.onMessage = (content) => this.received(content);
    model.on("msg:custom", this.onMessage);
    model.send({ kind: "hello" });
  }

  destroy() {
    this.model.off("msg:custom", this.onMessage);
    this.root.remove();
  }

  received(content) {
    if (content.kind === "state") {
      if (!this.drawn) {
        this.draw(content);
      }
      this.fill(content.form);
      this.show(content);
    } else if (content.kind === "answer" && this.drawn) {
      const own = content.view === this.id;
      if (!own) this.fill(content.form);
      // An older answer than what has been asked since: the newer one is on its way.
      this.show(content);
      if (own) {
        this.root.setAttribute("data-serial", content.serial);
        this.tell(content.serial);
      }
      if (!own || content.serial === this.serial) this.busy(false);
    }
  }

  // How long it took from the switch to the screen: until the frame after the change was drawn.
  tell(serial) {
    const start = this.sent.get(serial);
    this.sent.delete(serial);
    if (start === undefined) return;
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      const took = performance.now() - start;
      this.root.setAttribute("data-latency-ms", took.toFixed(1));
      this.latency.textContent = `On screen ${took.toFixed(0)} ms after the change.`;
    };
    requestAnimationFrame(() => channel.port2.postMessage(0));
  }

  busy(on) {
    this.root.setAttribute("data-state", on ? "running" : "ready");
    this.root.setAttribute("aria-busy", String(on));
  }

  submit() {
    const serial = ++this.serial;
    this.sent.set(serial, performance.now());
    this.busy(true);
    this.model.send({ kind: "submit", view: this.id, serial, form: this.form() });
  }

  // The form ------------------------------------------------------------------------------------

  form() {
    const value = (key) => (this.fields.has(key) ? this.fields.get(key).input.value : "");
    const chosen = (name) => this.root.querySelector(`input[name="${this.id}-${name}"]:checked`)?.value || "";
    const form = { clock: chosen("clock"), random: chosen("random"), stdin: value("stdin") };
    for (const key of Object.keys(TEXTS)) form[key] = value(key);
    form.runtime = value("runtime");
    form.function = value("function");
    form.audit = this.audit.checked;
    form.env = this.rows.env.map((row) => ({ on: row.on.checked, text: row.text.value }));
    form.dirs = this.rows.dirs.map((row) => ({
      on: row.on.checked, host: row.host.value, guest: row.guest.value, write: row.write.value === "write",
    }));
    return form;
  }

  fill(form) {
    const active = document.activeElement;
    for (const [key, field] of this.fields)
      if (key in form && field.input !== active) field.input.value = form[key];
    for (const name of ["clock", "random"])
      for (const radio of this.root.querySelectorAll(`input[name="${this.id}-${name}"]`))
        radio.checked = radio.value === form[name];
    this.audit.checked = Boolean(form.audit);
    for (const kind of ["env", "dirs"]) {
      const given = form[kind] || [];
      while (this.rows[kind].length > given.length) this.rows[kind].pop().node.remove();
      given.forEach((each, index) => {
        const row = this.rows[kind][index] || this.addRow(kind);
        row.on.checked = each.on;
        if (kind === "env") row.text.value = each.text;
        else {
          row.host.value = each.host;
          row.guest.value = each.guest;
          row.write.value = each.write ? "write" : "read";
        }
      });
    }
    this.depend();
  }

  draw(state) {
    this.drawn = true;
    this.runtimes = state.runtimes;
    this.root.replaceChildren();
    const title = h("h3", { class: "wlp-title" }, "Capabilities of ", h("code", {}, state.label));
    const runtime = h("select", { id: `${this.id}-runtime`, onchange: () => this.submit() },
      ...state.runtimes.map((each) =>
        h("option", { value: each.name, disabled: Boolean(each.missing), title: each.missing || null },
          each.missing ? `${each.name} (not usable here)` : each.name)));
    const runtimeField = this.field("runtime", "Runtime", runtime, "");
    const run = h("button", { type: "button", class: "wlp-run", onclick: () => this.submit() }, "Run");
    const head = h("div", { class: "wlp-head" }, title, runtimeField, run);
    const missing = state.runtimes.filter((each) => each.missing);
    const absent = missing.length
      ? h("details", { class: "wlp-absent" },
          h("summary", {}, `${missing.length} runtime${missing.length > 1 ? "s are" : " is"} not usable here: why, and how to get ${missing.length > 1 ? "them" : "it"}`),
          h("ul", {}, ...missing.map((each) => h("li", {}, h("strong", {}, each.name), `: ${each.missing}`))))
      : null;

    const grid = h("div", { class: "wlp-grid" });
    if (state.functions.length) {
      const select = h("select", { id: `${this.id}-function`, onchange: () => this.submit() },
        ...state.functions.map((each) => h("option", { value: each.split("(")[0] }, each)));
      grid.append(this.group("call", "Call", "", this.field("function", "Function", select, ""), this.text("call_args")));
    }
    this.addRowButtons = {
      dirs: h("button", { type: "button", class: "wlp-add", onclick: () => this.newRow("dirs") }, "Add a folder"),
      env: h("button", { type: "button", class: "wlp-add", onclick: () => this.newRow("env") }, "Add a variable"),
    };
    this.lists = { dirs: h("div", { class: "wlp-rows" }), env: h("div", { class: "wlp-rows" }) };
    const stdin = h("textarea", { id: `${this.id}-stdin`, rows: 2, spellcheck: "false", onchange: () => this.submit() });
    this.audit = h("input", { type: "checkbox", role: "switch", id: `${this.id}-audit`, onchange: () => this.submit() });
    grid.append(
      this.group("dirs", "Files", "Closed, but for the folders that are switched on.", this.lists.dirs, this.addRowButtons.dirs),
      this.group("env", "Environment", "Empty, but for the variables that are switched on.", this.lists.env, this.addRowButtons.env),
      this.group("clock", "Clock", "", this.choice("clock", [["real", "real"], ["frozen", "frozen"], ["refused", "refused"]]), this.text("frozen_ns")),
      this.group("random", "Randomness", "", this.choice("random", [["real", "real"], ["seeded", "seeded"], ["refused", "refused"]]), this.text("seed")),
    );
    const input = this.field("stdin", "Standard input", stdin, "");
    const inputs = state.functions.length ? [input] : [this.text("args"), input, this.text("program")];
    grid.append(
      this.group("audit", "Audit", "Every call of the guest to its host.",
        this.switchField("audit", "List host calls", this.audit)),
      this.group("limits", "Limits", "", this.text("memory"), this.text("deadline"), this.text("output"), this.text("fuel")),
      this.group("input", "Input", "", ...inputs),
      this.group("hosts", "Network", "Closed. WASI 0.1 has no calls to open a connection.", this.text("hosts")),
    );

    this.status = h("output", { role: "status", "aria-live": "polite", class: "wlp-status" });
    this.latency = h("span", { class: "wlp-muted wlp-latency" });
    this.runs = h("div", { class: "wlp-runs" });
    this.command = h("code", {});
    this.magic = h("code", {});
    const flags = h("div", { class: "wlp-flags", role: "group", "aria-label": "The same as flags" },
      this.copyable("On the command line", this.command), this.copyable("In a cell", this.magic));
    const body = h("form", { onsubmit: (event) => { event.preventDefault(); this.submit(); } }, head, absent, grid);
    this.root.append(body, h("div", { class: "wlp-said" }, this.status, this.latency), this.runs, flags);
    this.busy(false);
  }

  group(key, legend, help, ...children) {
    const note = h("p", { class: "wlp-error", id: `${this.id}-${key}-group-note`, hidden: true });
    const limits = h("p", { class: "wlp-cannot", hidden: true });
    const box = h("fieldset", { class: `wlp-group wlp-group-${key}`, "data-group": key },
      h("legend", {}, legend), help ? h("p", { class: "wlp-help" }, help) : null, ...children, limits, note);
    this.groups = this.groups || new Map();
    this.groups.set(key, { box, note, limits });
    return box;
  }

  field(key, label, input, help) {
    const note = h("p", { class: "wlp-error", id: `${this.id}-${key}-note`, hidden: true });
    const helpId = `${this.id}-${key}-help`;
    const helper = help ? h("span", { class: "wlp-help", id: helpId }, help) : null;
    input.setAttribute("id", `${this.id}-${key}`);
    input.setAttribute("data-key", key);
    input.setAttribute("aria-describedby", [help ? helpId : "", note.id].filter(Boolean).join(" "));
    const box = h("div", { class: "wlp-field", "data-field": key }, h("label", { for: `${this.id}-${key}` }, label), input, helper, note);
    this.fields.set(key, { input, note, box });
    return box;
  }

  text(key) {
    const [label, example, help] = TEXTS[key];
    const input = h("input", { type: "text", placeholder: example, spellcheck: "false", autocomplete: "off", onchange: () => this.submit() });
    return this.field(key, label, input, help);
  }

  switchField(key, label, input) {
    const note = h("p", { class: "wlp-error", id: `${this.id}-${key}-note`, hidden: true });
    input.setAttribute("aria-describedby", note.id);
    input.setAttribute("data-key", key);
    const box = h("div", { class: "wlp-field wlp-switch" }, input, h("label", { for: input.id }, label), note);
    this.switches = this.switches || new Map();
    this.switches.set(key, { input, note });
    return box;
  }

  choice(key, options) {
    const box = h("div", { class: "wlp-choice", role: "presentation" });
    for (const [value, label] of options) {
      const id = `${this.id}-${key}-${value}`;
      box.append(
        h("input", { type: "radio", id, name: `${this.id}-${key}`, value, "data-key": `${key}-${value}`, onchange: () => { this.depend(); this.submit(); } }),
        h("label", { for: id }, label));
    }
    return box;
  }

  // A time is asked for only while the clock is frozen, a seed only while randomness is seeded.
  depend() {
    const chosen = (name) => this.root.querySelector(`input[name="${this.id}-${name}"]:checked`)?.value;
    this.fields.get("frozen_ns").box.hidden = chosen("clock") !== "frozen";
    this.fields.get("seed").box.hidden = chosen("random") !== "seeded";
  }

  newRow(kind) {
    const row = this.addRow(kind);
    row.on.checked = true;
    (kind === "env" ? row.text : row.host).focus();
  }

  addRow(kind) {
    const number = ++made;
    const what = kind === "env" ? "variable" : "folder";
    const id = `${this.id}-${kind}-${number}`;
    const note = h("p", { class: "wlp-error", id: `${id}-note`, hidden: true });
    // A row is sent when it is left, or on Enter: half of it is not yet what was meant.
    const send = () => {
      row.changed = false;
      if (row.on.checked) this.submit();
    };
    const edited = () => { row.changed = true; };
    const input = (label, placeholder, extra) =>
      h("input", { type: "text", "aria-label": label, placeholder, spellcheck: "false", autocomplete: "off", "aria-describedby": note.id, oninput: edited, ...extra });
    const on = h("input", { type: "checkbox", role: "switch", id: `${id}-on`, "aria-label": `Grant this ${what}`, "aria-describedby": note.id, onchange: () => this.submit() });
    const remove = h("button", { type: "button", class: "wlp-remove", "aria-label": `Remove this ${what}`, title: `Remove this ${what}`, onclick: () => {
      const was = row.on.checked;
      this.rows[kind].splice(this.rows[kind].indexOf(row), 1);
      row.node.remove();
      this.addRowButtons[kind].focus();
      if (was) this.submit();
    } }, "×");
    const row = { on, note };
    if (kind === "env") {
      row.text = input("Variable as NAME=VALUE", "NAME=VALUE", { "data-key": "env-text" });
      row.main = row.text;
      row.node = h("div", { class: "wlp-row", role: "group", "aria-label": what }, on, row.text, remove, note);
    } else {
      row.host = input("Folder on this machine", "./data", { "data-key": "dirs-host" });
      row.guest = input("Its name for the guest", "/data", { "data-key": "dirs-guest" });
      row.write = h("select", { "aria-label": "What is allowed in it", "data-key": "dirs-write", onchange: send },
        h("option", { value: "read" }, "read only"), h("option", { value: "write" }, "read and write"));
      row.main = row.host;
      row.node = h("div", { class: "wlp-row wlp-row-dirs", role: "group", "aria-label": what }, on, row.host, h("span", { class: "wlp-as", "aria-hidden": "true" }, "as"), row.guest, row.write, remove, note);
    }
    row.node.addEventListener("focusout", (event) => {
      if (row.changed && !row.node.contains(event.relatedTarget)) send();
    });
    row.node.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target.type === "text") {
        event.preventDefault();
        send();
      }
    });
    this.rows[kind].push(row);
    this.lists[kind].append(row.node);
    return row;
  }

  copyable(label, code) {
    const button = h("button", { type: "button", class: "wlp-copy", "aria-label": `Copy: ${label}`, onclick: async () => {
      let done = true;
      try {
        await navigator.clipboard.writeText(code.textContent);
      } catch {
        // Without a secure context there is no clipboard; selecting still allows Ctrl+C.
        const range = document.createRange();
        range.selectNodeContents(code);
        const selection = window.getSelection();
        selection.removeAllRanges();
        selection.addRange(range);
        done = document.execCommand("copy");
      }
      button.textContent = done ? "Copied" : "Selected: press Ctrl+C";
      setTimeout(() => (button.textContent = "Copy"), 2000);
    } }, "Copy");
    return h("div", { class: "wlp-flag" }, h("span", { class: "wlp-flag-name" }, label), h("pre", { tabindex: "0", "aria-label": label }, code), button);
  }

  // Answers -------------------------------------------------------------------------------------

  show(answer) {
    this.messages(answer.errors);
    this.limitsOf(answer.form.runtime);
    this.status.className = `wlp-status ${answer.problem ? "wlp-bad" : answer.current?.ok === false ? "wlp-warn" : "wlp-good"}`;
    const parts = [answer.problem, answer.problem && answer.current ? `Below is still run ${answer.current.number}.` : "", answer.problem ? "" : answer.summary];
    this.status.textContent = parts.filter(Boolean).join(" ");
    this.command.textContent = answer.command;
    this.magic.textContent = answer.magic;
    const { current, previous } = answer;
    this.runs.replaceChildren();
    if (previous) this.runs.append(this.run("Previous run", previous, current));
    if (current) this.runs.append(this.run("This run", current, previous));
    this.runs.classList.toggle("wlp-two", Boolean(previous && current));
  }

  messages(errors) {
    const put = (note, input, message) => {
      note.hidden = !message;
      note.textContent = message || "";
      if (input) message ? input.setAttribute("aria-invalid", "true") : input.removeAttribute("aria-invalid");
    };
    const left = { ...errors };
    const take = (key) => { const message = left[key]; delete left[key]; return message; };
    for (const [key, field] of this.fields) put(field.note, field.input, take(key));
    for (const [key, field] of this.switches) put(field.note, field.input, take(key));
    for (const kind of ["env", "dirs"])
      this.rows[kind].forEach((row, index) => put(row.note, row.main, take(`${kind}.${index}`)));
    for (const [key, group] of this.groups) put(group.note, null, take(key));
    this.rest = Object.values(left);
  }

  // What the chosen runtime cannot enforce stands at the field before anyone asks for it.
  limitsOf(name) {
    const runtime = this.runtimes.find((each) => each.name === name);
    const place = { frozen_ns: "clock", seed: "random", memory: "limits", fuel: "limits", deadline: "limits", output: "limits", args: "input", program: "input", stdin: "input" };
    const words = { dirs: "folders", env: "variables", hosts: "hosts", clock: "other clocks", random: "other randomness", frozen_ns: "a time of its own", args: "arguments", program: "a name", stdin: "input", audit: "the audit" };
    for (const [key, group] of this.groups) {
      const cannot = runtime ? [...new Set(runtime.cannot.filter((each) => (place[each] || each) === key))] : [];
      group.limits.hidden = cannot.length === 0;
      group.limits.textContent = cannot.length ? `${name} cannot enforce ${cannot.map((each) => words[each] || each).join(", ")}: asking for it is refused.` : "";
    }
  }

  run(title, run, other) {
    const parts = [];
    const badge = h("span", { class: `wlp-badge ${run.ok ? "wlp-good" : "wlp-warn"}` }, run.ended);
    parts.push(h("h4", {}, `${title} (${run.number}) `, badge));
    if (run.why) parts.push(h("pre", { class: "wlp-why" }, run.why));
    if (run.value) parts.push(this.stream("Result", run.value, other?.value));
    if (run.stdout || !run.value) parts.push(this.stream("Standard output", run.stdout, other?.stdout));
    if (run.stderr) parts.push(this.stream("Standard error", run.stderr, other?.stderr));
    if (run.more) parts.push(h("p", { class: "wlp-muted" }, `${run.more.toLocaleString()} more bytes are not shown.`));
    const facts = [...run.phases, ["in all", run.total], ["linear memory", run.memory]];
    if (run.fuel) facts.push(["fuel used", run.fuel]);
    facts.push(["engine", run.engine]);
    parts.push(h("table", { class: "wlp-facts" }, h("caption", {}, "Time and memory"),
      h("tbody", {}, ...facts.map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, value))))));
    if (run.audit) parts.push(this.auditOf(run));
    return h("section", { class: "wlp-one", "aria-label": `${title} (${run.number})`, "data-run": run.number }, ...parts);
  }

  // Lines between the first and the last difference are marked, by a sign as well as by colour.
  stream(name, text, other) {
    const lines = text.split("\n");
    if (lines[lines.length - 1] === "") lines.pop();
    let [from, to] = [lines.length, lines.length];
    if (other !== undefined && other !== null && other !== text) {
      const theirs = other.split("\n");
      if (theirs[theirs.length - 1] === "") theirs.pop();
      for (from = 0; from < lines.length && lines[from] === theirs[from]; from++);
      let end = 0;
      while (end < lines.length - from && end < theirs.length - from && lines[lines.length - 1 - end] === theirs[theirs.length - 1 - end]) end++;
      to = lines.length - end;
    }
    const code = h("pre", { tabindex: "0", "aria-label": name });
    lines.forEach((line, index) => {
      const changed = index >= from && index < to;
      code.append(h("span", { class: changed ? "wlp-line wlp-changed" : "wlp-line" }, line + "\n"));
    });
    if (!lines.length) code.append(h("span", { class: "wlp-muted" }, "nothing"));
    return h("div", { class: "wlp-stream" }, h("h5", {}, name), code);
  }

  auditOf(run) {
    const body = run.audit.map(([call, args, result, refused, took]) =>
      h("tr", { class: refused ? "wlp-refused" : null },
        h("td", {}, h("code", {}, call)), h("td", { class: "wlp-args" }, args), h("td", {}, result),
        h("td", {}, refused ? `refused: ${refused}` : "yes"), h("td", { class: "wlp-number" }, took)));
    const why = run.explanations.length ? h("ul", { class: "wlp-why-list" }, ...run.explanations.map((each) => h("li", {}, each))) : null;
    return h("div", { class: "wlp-audit", tabindex: "0", role: "region", "aria-label": "Audit" },
      why,
      h("table", {}, h("caption", {}, `Audit: ${run.calls} host calls, ${run.refused} refused`),
        h("thead", {}, h("tr", {}, ...["call", "arguments", "result", "allowed", "time"].map((each) => h("th", { scope: "col" }, each)))),
        h("tbody", {}, ...body)));
  }
}

export default {
  render({ model, el }) {
    const view = new View(model, el);
    return () => view.destroy();
  },
};
