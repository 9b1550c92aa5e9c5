# Two commands: `make run` starts the bot, `make test` runs everything. Both set up what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Compiled modules are kept: the next run, and each process that a test starts, need not compile them again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run install test quick coverage simulate check bench lock clean

run: install
	$(BIN)/plc-bot run

install: $(VENV)/.installed

$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements-dev.lock
	touch $@

# Everything, on two processes more than there are cores, since tests also wait. WORKERS=0 runs it in one; ARGS names
# files or options.
WORKERS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) + 2 )))
test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

# What needs no browser, no process of its own, no PostgreSQL and no long story.
quick: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n $(WORKERS) -m "not browser and not process and not long and not postgresql" $(ARGS)

# Lines and branches that the tests reach; what processes of their own do is not counted. ARGS names files.
coverage: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n $(WORKERS) --cov --cov-report=term:skip-covered $(ARGS)

# Two simulated years for each seed: make simulate SEED=7, or SEEDS=1-20; docs/simulation.md says what it checks.
SEED ?= 1
SEEDS ?= $(SEED)
simulate: $(VENV)/.installed-dev
	$(BIN)/python -m tests.simulation $(SEEDS) --database "$(DATABASE)"

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# ARGS names figures; without it all of them are measured, which takes long.
bench: $(VENV)/.installed-dev
	$(BIN)/python -m tests.benchmarks $(ARGS)

# The locks hold names, versions and hashes only.
lock: $(VENV)/.installed-dev
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -o requirements-dev.lock

clean:
	rm -rf $(VENV) var .mypy_cache .ruff_cache .pytest_cache
