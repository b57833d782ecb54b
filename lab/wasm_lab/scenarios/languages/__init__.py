"""One task in every language: does it build, how large, how soon there, how fast.

from wasm_lab.scenarios.languages.comparing import compare_languages

table = compare_languages(["Rust", "Python"])
table.rows["Python"].size_bytes
"""
