# plutarc: `make run` starts everything on a bare machine with Python 3.11+, `make test` proves it.

SHELL := /bin/sh
PYTHON ?= $(shell for v in python3.13 python3.12 python3.11 python3 python; do \
  $$v -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$v && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
TESTS ?= tests
# The longest tests mostly wait for processes: four workers keep two cores busy.
WORKERS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); test $$n -gt 4 && echo $$n || echo 4)
PYTEST ?= -n $(WORKERS) --dist worksteal

# Where this is set no .pyc is ever written, and every process compiles everything anew.
unexport PYTHONDONTWRITEBYTECODE
.DEFAULT_GOAL := help
.PHONY: help run test check format lint types contracts pictures bench soak mutants lock

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

run: $(VENV)/.run ## start plutarc; Ctrl-C ends it
	@exec $(BIN)/python -m app.supervisor --bound

test: $(VENV)/.dev ## all tests (TESTS=tests/runner for some)
	@$(BIN)/python -m pytest $(PYTEST) $(TESTS)

check: $(VENV)/.dev ## what CI runs: format, lint, types, contracts, tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest $(PYTEST)

bench: $(VENV)/.dev ## measure runner, orders, pages, planner, statements, a rush and each exchange into docs/results (FAST=1: in minutes)
	@$(BIN)/python -m tests.bench $(if $(FAST),--fast)

soak: $(VENV)/.dev ## random kills and faults, then every ledger is compared (MINUTES= BOTS= SEED=, or ORDERS= ACCOUNTS= SEED=)
	@$(BIN)/python -m $(if $(ORDERS),tests.soak.orders ORDERS=$(ORDERS) ACCOUNTS=$(ACCOUNTS),tests.soak MINUTES=$(MINUTES) BOTS=$(BOTS)) SEED=$(SEED)

mutants: $(VENV)/.dev ## break each invariant on purpose: its tests must notice (ONLY=design-4,live)
	@$(BIN)/python -m tests.mutants ONLY=$(ONLY)

format: $(VENV)/.dev ## put the code in shape
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lint: $(VENV)/.dev ## ruff alone
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: $(VENV)/.dev ## mypy alone
	@$(BIN)/mypy

contracts: $(VENV)/.dev ## import contracts alone
	@$(BIN)/lint-imports

pictures: $(VENV)/.dev ## docs/pictures from a running demo (needs a Chromium; takes minutes)
	@$(BIN)/python -m tests.browser.pictures

lock: $(VENV)/.uv ## pin the newest versions that fit requirements*.in
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header \
	  --annotation-style line --upgrade requirements.in --output-file requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header \
	  --annotation-style line --upgrade requirements-dev.in --output-file requirements-dev.txt

# -- the environment -------------------------------------------------------------------------

$(BIN)/python:
	@test -n "$(PYTHON)" || { \
	  echo "plutarc needs Python 3.11 or newer with its venv module; none was found."; \
	  echo "Debian, Ubuntu: apt-get install python3 python3-venv. macOS: brew install python."; \
	  echo "Or name one: make run PYTHON=/path/to/python3"; exit 1; }
	@echo "Making $(VENV) with $(PYTHON) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "The venv module is incomplete. Debian, Ubuntu: apt-get install python3-venv."; exit 1; }

# uv installs in 2 s what takes pip 30 to 60; without it pip does the same.
$(VENV)/.uv: | $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --timeout 15 uv \
	  || echo "uv is not to be had; installing with pip, which takes longer."
	@touch $@

define install
{ test -x $(BIN)/uv && $(BIN)/uv pip install --quiet --python $(BIN)/python $(1); } || \
  $(BIN)/python -m pip install --quiet --disable-pip-version-check $(1)
endef

$(VENV)/.run: requirements.txt | $(VENV)/.uv
	@echo "Installing what plutarc runs on ..."
	@$(call install,-r requirements.txt)
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	@echo "Installing what the tests need ..."
	@$(call install,-r requirements.txt -r requirements-dev.txt)
	@touch $@
