# Everything works from a bare checkout with Python 3.11 or newer, its venv module, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTEST_WORKERS ?= 2

.PHONY: demo test suite check static unit fuzz bench docs clean

demo: $(STAMP)  ## Run the example project: open http://localhost:5000, end it with Ctrl+C
	$(BIN)/devrun -f Procfile.example

test: static suite  ## All checks and all tests

suite: $(STAMP)
	$(BIN)/pytest -n $(PYTEST_WORKERS) --dist worksteal

check: $(STAMP) static unit  ## What takes seconds

static: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --warn-unreachable
	$(BIN)/mypy --platform darwin
	$(BIN)/mypy --platform win32
	$(BIN)/lint-imports

unit: $(STAMP)
	$(BIN)/pytest tests/unit tests/test_layers.py

fuzz: $(STAMP)  ## Both readers against anything, for ten minutes and more
	$(BIN)/pytest tests/unit/test_fuzz_readers.py --hypothesis-profile fuzz --timeout 0 -o faulthandler_timeout=0

# What else can be measured is in benchmarks/README.md: reload.py, log_files.py and sampling.py.
bench: $(STAMP)  ## Measure devrun and the peers that are installed
	$(BIN)/python benchmarks/run.py

docs: $(STAMP)  ## Write the reference of devrun.toml anew, from its schema
	$(BIN)/python -m devrun.config.toml.reference docs/configuration.md

$(STAMP): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage*
