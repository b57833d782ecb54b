// A module-federation container written by hand, so that no Node is needed to build it.
// JupyterLab loads it at its start and asks for "./extension", the list of plugins. The live charts
// take plotly.min.js from the folder of this file; see lab/wasm_lab/views/live.js.
"use strict";
(() => {
  const plugin = { id: "wasm-lab:assets", autoStart: true, activate: () => {} };
  const modules = { "./extension": { __esModule: true, default: [plugin] } };
  const container = {
    init: () => {},
    get: async (name) => {
      if (!(name in modules)) throw new Error(`wasm-lab has no module ${name}`);
      return () => modules[name];
    },
  };
  globalThis._JUPYTERLAB = globalThis._JUPYTERLAB || {};
  globalThis._JUPYTERLAB["wasm-lab"] = container;
})();
