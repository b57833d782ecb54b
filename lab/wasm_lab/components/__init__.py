"""Components and WIT: typed callables in Python for what a component exports and imports."""
