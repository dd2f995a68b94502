# Every target sets up what it needs, once: .venv with the versions of constraints.txt.
# Another interpreter: make PYTHON=/path/to/python3.11 test

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo test coverage test-lava-dl check format clean

BIN := .venv/bin
READY := .venv/.ready
# mypy names a package after its folder; through this link the clone may be called anything.
TYPES := .venv/types
PYTEST := $(BIN)/python -m pytest
export PYTHON

help: ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1	/' | expand -t 24

setup: $(READY) ## makes .venv (about half a minute the first time, nothing after that)

$(READY): pyproject.toml constraints.txt .ci/setup
	@.ci/setup

demo: $(READY) ## the main job, end to end, on data it makes itself
	@$(BIN)/spikeport demo

test: $(READY) ## all tests
	@$(PYTEST) -q -n 2 --dist worksteal

coverage: $(READY) ## the same, and which lines they run; a fifth slower
	@$(PYTEST) -q -n 2 --dist worksteal --cov --cov-report=term

test-lava-dl: $(READY) ## netx and NIR files in lava-dl itself, in its environment: 5.6 GB, made once
	@$(BIN)/spikeport lava install --with-lava-dl
	@$(PYTEST) -q tests_lava_dl

check: $(READY) ## format, lint, types, layout; changes nothing
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@mkdir -p $(TYPES) && ln -sfn ../.. $(TYPES)/spikeport
	@cd $(TYPES) && ../bin/python -m mypy --config-file ../../pyproject.toml --cache-dir ../../.mypy_cache -p spikeport
	@$(PYTEST) -q tests/test_layout.py

format: $(READY) ## puts the code into its form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean: ## removes everything that make made
	rm -rf .venv build dist demo *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis htmlcov
	rm -f .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
