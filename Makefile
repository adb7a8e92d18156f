# Everything runs in a virtual environment of the checkout, which is made and kept up to date by itself.
#
#   make serve          serve ./tenantry.db on http://127.0.0.1:9100
#   make serve DEMO=1   the same, with the example studio
#   make test           the whole suite, on SQLite and PostgreSQL
#   make check          format, lint, types and import contracts
#   make bench          measure every operation on both databases
#
# PYTHON names the interpreter that the environment is made with: make serve PYTHON=python3.12

PYTHON ?= $(firstword $(shell for name in python3.11 python3.12 python3.13 python3; do command -v $$name; done))
VENV ?= .venv
DEMO ?=
ARGS ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALLED := $(VENV)/.installed
DEVELOPED := $(VENV)/.installed-for-development

.PHONY: serve test check bench clean

serve: $(INSTALLED)
	$(BIN)/tenantry $(if $(filter-out 0 no false,$(DEMO)),demo,serve) $(ARGS)

test: $(DEVELOPED)
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile $(ARGS)

check: $(DEVELOPED)
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/mypy src tests benchmarks
	$(BIN)/lint-imports

bench: $(DEVELOPED)
	$(BIN)/python -m benchmarks.run $(ARGS)

clean:
	rm -rf $(VENV) build dist

# The stamps are newer than pyproject.toml as long as nothing is to be installed.
$(INSTALLED): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --editable '.[postgres]'
	@touch $@

$(DEVELOPED): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --editable '.[dev]'
	@touch $(INSTALLED) $@
