"""Spin applications: the manifest, and a host that runs them with nothing else installed."""
