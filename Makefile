# Needs Python 3.11 or newer, nothing else. What is installed stays in this folder: .venv, .tools and .meltano.

.DEFAULT_GOAL := help
.PHONY: help demo test check lint pins clean FORCE

# What Python compiles is kept whatever the environment says: dozens of processes would compile the same again.
export PYTHONDONTWRITEBYTECODE :=
# tests/conftest.py says which tests stay together (those of one warehouse, for example), and which come first.
side_by_side := --numprocesses auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder
# Lines and branches of tap_bill: pyproject.toml says how much must be covered; tests marked `measured` count.
measured := COVERAGE_FILE="$(CURDIR)/.coverage/data"

dbt := .meltano/utilities/dbt-postgres/installed

help:  ## Show this
	@sed -n 's/^\([a-z]*\):.*## /make \1@/p' Makefile | sed 's/@/	/'

# All is installed side by side first; what failed is tried once more, and then says why.
demo:  ## Run the whole pipeline: BILL emulator, tap-bill, target-postgres, PostgreSQL, dbt
	@$(set_up) -j3 --keep-going .venv/installed .meltano/installed $(dbt) 2>/dev/null || true
	@$(set_up) .venv/installed .meltano/installed
	@$(set_up) $(dbt) || echo "The demo will end before dbt."
	@.venv/bin/python -m demo

test:  ## Lint, types and all tests, Meltano and PostgreSQL among them
	@$(set_up) .venv/installed .meltano/installed
	@$(set_up) .tools/singer-tools/installed || echo "The test that needs it will be skipped."
	@$(set_up) .tools/dagster/installed || echo "The tests that need it will be skipped."
	@$(set_up) $(dbt) || echo "The tests that need it will be skipped."
	@rm -rf .coverage
	@$(MAKE) --no-print-directory lint >.tools/lint.log 2>&1 & lint=$$!; \
		$(measured) .venv/bin/python -m pytest $(side_by_side); tests=$$?; \
		wait $$lint; lint=$$?; cat .tools/lint.log; \
		.venv/bin/coverage combine --quiet && .venv/bin/coverage report && exit $$((lint + tests))

check:  ## Lint, types and the direction of imports
	@$(set_up) .venv/installed
	@$(MAKE) --no-print-directory lint
	@.venv/bin/python -m pytest --quiet --no-header --durations=0 tests/unit/test_architecture.py

lint:
	@.venv/bin/ruff check --quiet . && .venv/bin/ruff format --quiet --check . && .venv/bin/mypy --no-error-summary
	@echo "Lint and types are fine."

pins:  ## Renew the pinned versions in requirements/*.txt
	@$(set_up) .tools/uv/installed
	@for list in requirements/*.in; do $(uv) pip compile --quiet --upgrade --universal --python-version 3.11 \
		--annotation-style line --custom-compile-command 'make pins' --output-file "$${list%.in}.txt" "$$list" || exit; done

clean:  ## Remove what make put here; your .env and Meltano's bookmarks stay
	@rm -rf .venv .tools .demo .meltano/extractors .meltano/loaders .meltano/utilities .meltano/logs .meltano/run
	@rm -rf .meltano/installed .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist

# What is installed, by uv: it takes a fifth of pip's time and pins for every platform. `installed` is written last.
# Your own Python: make demo PYTHON=/path/to/python3
fits := import sys, importlib.util as util; parts = util.find_spec("venv") and util.find_spec("ensurepip"); \
	sys.exit(1) if sys.version_info < (3, 11) or not parts else print(sys.executable)
candidates := $(if $(PYTHON),"$(PYTHON)",python3 python3.14 python3.13 python3.12 python3.11)
python = $(eval python := $(shell for it in $(candidates); do "$$it" -c '$(fits)' 2>/dev/null && break; done))$(python)
# Of two makes at once the second waits, then finds everything in place.
alone := import fcntl, os, sys; os.dup2(os.open(".tools/lock", os.O_CREAT | os.O_RDWR), 9); \
	fcntl.flock(9, fcntl.LOCK_EX); os.execvp(sys.argv[1], sys.argv[1:])
set_up = test -n "$(python)" || { \
	echo 'tap-bill needs Python 3.11 or newer, with its venv module. Tried: $(candidates).' \
	'To name another: make PYTHON=/path/to/python3' >&2; exit 1; }; \
	mkdir -p .tools && "$(python)" -S -c '$(alone)' $(MAKE) --silent python="$(python)"
quietly = @echo "Setting up $(@D) ..."; rm -f $@; { $(2); } </dev/null >.tools/$(1).log 2>&1 && touch $@ || { \
	echo "$(@D) failed: $$(grep -ioE '(error:|failed to fetch:)( [!-~]+)+' .tools/$(1).log | tail -n 1)." \
	"Is the package index reachable (network, proxy, pip.conf)? The whole log: .tools/$(1).log" >&2; exit 1; }
# A pip that can fill another environment than its own: the first one is made in half of the time.
reaches_out := import pip, sys; sys.exit(int(pip.__version__.split(".")[0]) < 23)
with_index := .tools/uv/bin/python requirements/index.py
uv := $(with_index) .tools/uv/bin/uv
fill = $(uv) venv --clear --no-project --python "$(python)" $(@D) && $(uv) pip sync --python $(@D) $<

.tools/python: FORCE  # changes when Python or this folder does
	@now="$(CURDIR) $(python) $$("$(python)" -VV)"; test "$$now" = "$$(cat $@ 2>/dev/null)" || echo "$$now" >$@

.tools/uv/installed: requirements/uv.txt .tools/python
	$(call quietly,uv,if "$(python)" -c '$(reaches_out)' 2>/dev/null; then \
		"$(python)" -m venv --clear --without-pip $(@D) && set -- "$(python)" -m pip --python $(@D)/bin/python; else \
		"$(python)" -m venv --clear $(@D) && set -- $(@D)/bin/python -m pip; fi && \
		PIP_USER=0 "$$@" install --no-compile --retries 2 -r $<)

.venv/installed: requirements/dev.txt pyproject.toml .tools/uv/installed
	$(call quietly,dev,$(fill) && $(uv) pip install --python $(@D) --no-deps --no-build-isolation --editable .)

.tools/dagster/installed .tools/meltano/installed .tools/singer-tools/installed: \
		.tools/%/installed: requirements/%.txt .tools/uv/installed
	$(call quietly,$*,$(fill))

meltano_install = UV_CONSTRAINT=$< UV_BUILD_CONSTRAINT=$< MELTANO_VENV_BACKEND=uv $(with_index) env \
	MELTANO_CLI_DISABLE_VERSION_CHECK=1 MELTANO_DATABASE_URI="sqlite:///$(CURDIR)/.tools/$(notdir $(@D)).db" \
	.tools/meltano/bin/meltano install --clean

.meltano/installed: requirements/plugins.txt pyproject.toml meltano.yml .tools/meltano/installed
	$(call quietly,plugins,$(meltano_install) tap-bill target-postgres)

# Its last word is that dbt starts: on Python 3.14 it does not.
$(dbt): requirements/dbt.txt meltano.yml .tools/meltano/installed
	$(call quietly,dbt,$(meltano_install) dbt-postgres && $(uv) pip sync --python $(@D)/venv $< && \
		$(@D)/venv/bin/dbt --help)
