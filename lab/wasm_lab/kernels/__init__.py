"""Warm kernels for headless notebooks, and the papermill engine that uses them."""
