# `make run` serves, `make test` tests; both set up what they need with Python 3.11+ and a package registry alone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Tests start interpreters by the hundred: each would compile all of the source anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run demo test soak bench docs lint types setup setup-dev clean
.DEFAULT_GOAL := help

help:
	@echo "make run    set up and serve on 127.0.0.1:10800 (SCHEDULER_... settings win)"
	@echo "make demo   serve forty tasks with a month of history, from a fresh directory"
	@echo "make test   set up and run the tests"
	@echo "make soak   run the tests that take long"
	@echo "make bench  measure, and print one table"
	@echo "make docs   make the tables and captured answers of the documentation anew"

setup: $(VENV)/.run
setup-dev: $(VENV)/.dev

$(BIN)/python:
	@echo "Making a virtual environment in $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed (PYTHON=...)"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt | $(BIN)/python
	@echo "Installing the pinned packages ..."
	@$(BIN)/python -m pip install --disable-pip-version-check --require-hashes --progress-bar on -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt | $(BIN)/python
	@echo "Installing the pinned packages for development ..."
	@$(BIN)/python -m pip install --disable-pip-version-check --require-hashes --progress-bar on -r requirements-dev.txt
	@touch $@ $(VENV)/.run

run: setup
	@mkdir -p "$${SCHEDULER_ALLOWED_DIRS%%:*}" 2>/dev/null || mkdir -p workspace
	@SCHEDULER_ALLOWED_DIRS="$${SCHEDULER_ALLOWED_DIRS:-$(CURDIR)/workspace}" exec $(BIN)/python server.py

demo: setup-dev
	@exec $(BIN)/python -m docs.demo

test: setup-dev
	$(BIN)/python -m pytest -n 3 --dist loadfile -m "not soak"

soak: setup-dev
	$(BIN)/python -m pytest -n 3 -m soak

bench: setup-dev
	$(BIN)/python -m benchmarks

docs: setup-dev
	$(BIN)/python -m docs

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup-dev
	$(BIN)/mypy --strict scheduler tasks server.py

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
