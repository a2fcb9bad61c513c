# Needs Python 3.11 or newer, nothing else. What is installed stays in this folder: .venv, .tools and .meltano.

.DEFAULT_GOAL := help
.PHONY: help demo test check lint pins clean python

# The first Python that is new enough and can make virtual environments, or your own: make demo PYTHON=/path/to/python3
candidates := python3 python3.14 python3.13 python3.12 python3.11
new_enough := import sys; sys.exit(sys.version_info < (3, 11))
with_venv := import venv, ensurepip; $(new_enough)
first = $(shell for python in $(candidates); do $$python -c '$(1)' >/dev/null 2>&1 && echo $$python && break; done)
ifndef PYTHON
PYTHON = $(eval PYTHON := $(or $(call first,$(with_venv)),$(call first,$(new_enough))))$(PYTHON)
endif

# What Python compiles is kept whatever the environment says: dozens of processes would compile the same again.
keep_compiled := PYTHONDONTWRITEBYTECODE=
# tests/conftest.py says which tests stay together (those of one warehouse, for example), and which come first.
side_by_side := --numprocesses auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder
# Lines and branches of tap_bill; pyproject.toml says what is measured and how much must be covered.
measured := --cov --cov-report=term

help:  ## Show this
	@sed -n 's/^\([a-z]*\):.*## /make \1@/p' Makefile | sed 's/@/	/'

demo: python  ## Run the whole pipeline: BILL emulator, tap-bill, target-postgres, PostgreSQL
	@$(PYTHON) requirements/install.py dev meltano plugins
	@.venv/bin/python -m demo

test: python  ## Lint, types and all tests, Meltano and PostgreSQL among them
	@$(PYTHON) requirements/install.py dev meltano plugins --try singer-tools
	@$(MAKE) --no-print-directory lint; lint=$$?; $(keep_compiled) .venv/bin/python -m pytest $(side_by_side) $(measured) && exit $$lint

check: python  ## Lint and types only
	@$(PYTHON) requirements/install.py dev
	@$(MAKE) --no-print-directory lint

lint:
	@.venv/bin/ruff check --quiet . && .venv/bin/ruff format --quiet --check . && .venv/bin/mypy --no-error-summary
	@echo "Lint and types are fine."

pins: python  ## Renew the pinned versions in requirements/*.txt
	@$(PYTHON) requirements/pin.py

clean:  ## Remove what make put here; your .env and Meltano's bookmarks stay
	@rm -rf .venv .tools .demo .meltano/extractors .meltano/loaders .meltano/logs .meltano/run
	@rm -rf .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist

python:
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(new_enough)' 2>/dev/null || { \
		echo "tap-bill needs Python 3.11 or newer; $(or $(PYTHON),$(firstword $(candidates))) is older or not there." >&2; \
		echo "Install one (https://www.python.org), or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
