"""Wasm in OCI images and in the container runtime of this machine."""
