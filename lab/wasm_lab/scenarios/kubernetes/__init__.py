"""Kubernetes: manifests that are right for Wasm, and running them."""
