// A chart that fills in while samples arrive. Only new values come over the wire, as float32; they are
// kept here and drawn by plotly.js, which the page loads once, however many charts there are.

const BUNDLE = "static/plotly.min.js";
const MOST = 20000; // points in the browser at most; then every other one goes

function bundleUrl() {
  const config = document.getElementById("jupyter-config-data");
  if (!config) return "";
  const page = JSON.parse(config.textContent);
  const base = page.fullLabextensionsUrl || `${page.baseUrl || "/"}lab/extensions`;
  return `${base.replace(/\/$/, "")}/wasm-lab/${BUNDLE}`;
}

function loadScript(url) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${url} cannot be loaded`));
    document.head.append(script);
  });
}

// The text of plotly.js when the extension is not installed where the page comes from.
async function fromKernel(model) {
  const text = await new Promise((resolve) => {
    const heard = (message, buffers) => {
      if (message.kind !== "bundle") return;
      model.off("msg:custom", heard);
      resolve(new TextDecoder().decode(buffers[0]));
    };
    model.on("msg:custom", heard);
    model.send({ kind: "bundle wanted" });
  });
  await loadScript(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
}

// AMD loaders, such as the classic notebook's, would swallow the script's global.
async function plotly(model) {
  if (globalThis.Plotly) return globalThis.Plotly;
  if (!globalThis.__wasmLabPlotly) {
    globalThis.__wasmLabPlotly = (async () => {
      const define = globalThis.define;
      globalThis.define = undefined;
      try {
        const url = bundleUrl();
        if (!url) throw new Error("no JupyterLab page");
        await loadScript(url);
      } catch {
        await fromKernel(model);
      } finally {
        globalThis.define = define;
      }
      return globalThis.Plotly;
    })();
  }
  return globalThis.__wasmLabPlotly;
}

// Points above each other hide: multiples of the golden ratio spread them evenly.
const jitter = (row, number) => row + 0.28 * (2 * ((number * 0.618034) % 1) - 1);

// Every label says the whole number; plotly's own would be a lone 2 or 5 between the powers of ten.
function ticks(least, most) {
  const steps = Math.log10(most / least) > 4 ? [1] : [1, 2, 5];
  const tickvals = [];
  for (let decade = Math.floor(Math.log10(least)); decade <= Math.log10(most); decade += 1)
    for (const step of steps) tickvals.push(step * 10 ** decade);
  return { tickvals, ticktext: tickvals.map((value) => String(Number(value.toPrecision(2)))) };
}

function render({ model, el }) {
  const holder = document.createElement("div");
  const status = document.createElement("output");
  status.setAttribute("role", "status");
  status.textContent = "Preparing the chart …";
  el.append(holder, status);
  const strips = new Map(); // name to values
  let settings = { title: "", axis: "", styles: {} };
  let library = null;
  let waiting = false;
  let drawn = 0;
  let told = 0;

  function draw() {
    waiting = false;
    if (!library || !holder.isConnected) return;
    const names = [...strips.keys()].reverse();
    const traces = names.map((name, row) => {
      const values = strips.get(name);
      const [colour, symbol] = settings.styles[name] || ["#0072B2", "circle"];
      return {
        type: "scattergl",
        mode: "markers",
        name,
        x: values,
        y: values.map((_, number) => jitter(row, number)),
        marker: { color: colour, symbol, size: 5, opacity: 0.5 },
        hovertemplate: `${name}: %{x:.4g}<extra></extra>`,
      };
    });
    let points = 0, least = Infinity, most = 0;
    for (const values of strips.values()) {
      points += values.length;
      for (const value of values) {
        if (value > 0 && value < least) least = value;
        if (value > most) most = value;
      }
    }
    const layout = {
      title: { text: settings.title, x: 0.01, font: { size: 16 } },
      template: undefined,
      height: 120 + 46 * Math.max(2, names.length),
      margin: { l: 20, r: 20, t: 50, b: 60 },
      showlegend: false,
      xaxis: {
        title: { text: settings.axis },
        automargin: true,
        ...(most / least > 8 ? { type: "log", ...ticks(least, most) } : { type: "linear", zeroline: false }),
      },
      yaxis: {
        tickmode: "array",
        zeroline: false,
        tickvals: names.map((_, row) => row),
        ticktext: names,
        range: [-0.6, names.length - 0.4],
        automargin: true,
      },
    };
    library.react(holder, traces, layout, { displaylogo: false, responsive: true });
    drawn += 1;
    holder.dataset.draws = drawn;
    holder.dataset.points = points;
    // A screen reader speaks each change, so there are few.
    if (Date.now() - told < 3000) return;
    told = Date.now();
    status.textContent = `${points} samples of ${names.length}: ${names.slice().reverse().join(", ")}`;
  }

  function soon() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(draw);
  }

  function heard(message, buffers) {
    if (message.kind === "start") settings = message;
    if (message.kind === "again") strips.clear(); // another view was opened, and all is sent anew
    if (message.kind !== "more") return;
    const values = new Float32Array(buffers[0].buffer, buffers[0].byteOffset, buffers[0].byteLength / 4);
    let at = 0;
    message.names.forEach((name, number) => {
      const strip = strips.get(name) || [];
      for (const end = at + message.counts[number]; at < end; at += 1) strip.push(values[at]);
      strips.set(name, strip.length > MOST ? strip.filter((_, index) => index % 2 === 0) : strip);
    });
    soon();
  }

  model.on("msg:custom", heard);
  plotly(model).then(
    (loaded) => {
      library = loaded;
      if (strips.size) soon();
    },
    (error) => {
      status.textContent = `The live chart cannot be drawn: ${error.message}. The final one will be here.`;
    },
  );
  model.send({ kind: "hello" });
  return () => model.off("msg:custom", heard);
}

export default { render };
