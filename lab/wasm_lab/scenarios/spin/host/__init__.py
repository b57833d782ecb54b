"""WASI 0.2 and wasi:http for guests of the embedded Spin host, in Python.

One module for each package of WASI; each gives its interfaces as ``name: object``, in the form that
`wasm_lab.components` takes for imports. They serve every 0.2 version, for each function is the same
in all of them. What belongs to one request is the running instance's own data (`guest.Guest`).
"""
