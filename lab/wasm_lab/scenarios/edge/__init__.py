"""Workers at the edge: JavaScript around a Wasm module, run by the engine of Cloudflare Workers."""
