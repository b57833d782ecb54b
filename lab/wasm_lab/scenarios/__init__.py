"""What the lab shows Wasm at work in: a package each, above the public API and below the surfaces."""
