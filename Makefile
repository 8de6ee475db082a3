# Everything is set up in .venv and node_modules; nothing is installed for the user or the machine, except that
# `make test` installs Chromium or Node.js through apt where they are missing and it may.
PYTHON ?= python3
BIN := .venv/bin
.PHONY: setup run test test-torch bench lint clean

setup: .venv/run

.venv/run: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Convoscope needs Python 3.11 or newer; set PYTHON=...")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	touch $@

.venv/dev: .venv/run
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

run: .venv/run
	@$(BIN)/convoscope $(ARGS)

# Chromium and Node.js: found, or installed; prints where and writes .venv/tools.json for the tests.
.venv/tools.json: .venv/dev tools/find_tools.py
	$(BIN)/python tools/find_tools.py $@

node_modules/.done: package.json .venv/tools.json
	$(BIN)/python tools/find_tools.py --npm ci
	touch $@

lint: .venv/dev node_modules/.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/python tools/find_tools.py --node node_modules/typescript/bin/tsc --project .
	$(BIN)/python tools/vendor.py --check

test: lint
	$(BIN)/python tools/find_tools.py --node --test $(shell find tests/js -name "*.test.js" | sort)
	$(BIN)/python -m pytest

# PyTorch, some 200 MB, for comparison only: the engine does not need it.
.venv/torch: .venv/dev
	$(BIN)/pip install --quiet --disable-pip-version-check torch==2.13.0
	touch $@

test-torch: .venv/torch
	$(BIN)/python -m pytest tests/torch

bench: .venv/torch .venv/tools.json
	$(BIN)/python -m bench $(ARGS)

clean:
	rm -rf .venv node_modules build dist *.egg-info
