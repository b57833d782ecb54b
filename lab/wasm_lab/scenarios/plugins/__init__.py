"""A plugin host that survives hostile plugins."""
