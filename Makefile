# Two commands do everything on a machine with Python 3.11 or later:
#
#   make train   installs what learning needs and runs the main job
#   make test    installs the tools too and runs lint, types, layers and tests

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OPENENV := .venv-openenv
INSTALL := -m pip install --quiet --disable-pip-version-check --constraint
PIP := $(BIN)/python $(INSTALL) constraints.txt
KERNEL := $(wildcard lightbulb_envs/kernel/*.[ch])
PLAIN := $(addprefix tests/lightbulb_envs/,engines adapters rewards sources/newsroom test_golden.py test_instances.py test_randomness.py)
OPENENV_TESTS := $(wildcard tests/lightbulb_envs/adapters/test_openenv_*.py)
SOURCES := lightbulb_envs lightbulb_backbones lightbulb_agents benchmarks tests

.DEFAULT_GOAL := help
.PHONY: help train test test-slow clean

help:
	@echo "make train      train on Lightbulb/NewsSummariser-v0 (about 2 minutes) and write a report"
	@echo "make test       lint, types, layers and tests (under 5 minutes)"
	@echo "make test-slow  the tests that train for longer (under 20 minutes)"
	@echo "make clean      remove the virtual environment and the caches"

$(VENV)/created:
	@$(PYTHON) -c 'import sys; sys.exit("Lightbulb needs Python 3.11 or later, and $(PYTHON) is " + sys.version.split()[0] + ": make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else None'
	@echo "== Creating the virtual environment $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/agents: $(VENV)/created pyproject.toml constraints.txt $(KERNEL)
	@echo "== Installing lightbulb[agents] into $(VENV): some minutes the first time"
	@$(PIP) --editable '.[agents]'
	@touch $@

$(VENV)/dev: $(VENV)/created pyproject.toml constraints.txt $(KERNEL)
	@echo "== Installing lightbulb[dev] into $(VENV): some minutes the first time"
	@$(PIP) --editable '.[dev]'
	@touch $(VENV)/agents $@

# OpenEnv brings gradio, which allows no pillow of 13 or later; all else is as in constraints.txt.
$(OPENENV)/installed: $(VENV)/created pyproject.toml constraints.txt $(KERNEL)
	@echo "== Installing lightbulb[openenv] into $(OPENENV): some minutes the first time"
	@$(PYTHON) -m venv $(OPENENV)
	@sed 's/^pillow==.*/pillow==12.3.0/' constraints.txt > $(OPENENV)/constraints.txt
	@$(OPENENV)/bin/python $(INSTALL) $(OPENENV)/constraints.txt --editable '.[openenv]' hypothesis pytest
	@touch $@

train: $(VENV)/agents
	@echo "== Training; runs/ holds what it leaves"
	@$(BIN)/python -m lightbulb_agents.train
	@echo "== Next: open the report; then try '$(BIN)/python -m lightbulb_agents.train --help'"

test: $(VENV)/dev
	@echo "== Lint"
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check $(SOURCES)
	@echo "== Types"
	@$(BIN)/mypy
	@echo "== Layers"
	@$(BIN)/lint-imports
	@echo "== Tests"
	@$(BIN)/python -m pytest -q -m "not slow" -n 2
	@echo "== All passed. Next: 'make test-slow' before a release, 'make train' to see it learn"

test-slow: $(VENV)/dev $(OPENENV)/installed
	@echo "== OpenEnv's client and server"
	@$(OPENENV)/bin/python -m pytest -q -o addopts="--import-mode=importlib --strict-markers" $(OPENENV_TESTS)
	@echo "== Slow tests"
	@$(BIN)/python -m pytest -q -m slow -n 2
	@echo "== The environments without the C kernel"
	@LIGHTBULB_KERNEL=python $(BIN)/python -m pytest -q -m "not slow" -n 2 $(PLAIN)
	@echo "== All passed. Next: 'make train' to see it learn"

clean:
	rm -rf $(VENV) $(OPENENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
