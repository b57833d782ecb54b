"""The same task in every language that compiles to Wasm."""
