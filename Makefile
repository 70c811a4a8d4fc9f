# make setup   a virtual environment in .venv with the command silvr in it
# make demo    the same, the weights, and one question about the video in examples/
# make test    the same, and every test
# make bench   the figures, on the example or on VIDEO=film.mp4 TRUTH=film.json
# make check   what has to be green before a commit: format, lint, types, import contracts, tests
.DEFAULT_GOAL := setup
.PHONY: setup weights demo test check format docs bench clean

PYTHON ?= python3
BIN := .venv/bin
# setuptools warns in every editable build that maps a package to a folder, as we do with prompts/.
PIP := PYTHONWARNINGS="ignore:Editable installation" $(BIN)/python -m pip --disable-pip-version-check
# What make bench measures on.
VIDEO ?= examples/tour.mp4
TRUTH ?= examples/tour.questions.json
READY := .venv/.ready
DEV_READY := .venv/.ready-dev

setup: $(READY)

$(READY): pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "silvr needs Python 3.10 or later, and $(PYTHON) is not here (Debian: apt install python3 python3-venv)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "silvr needs Python 3.10 or later, and $(PYTHON) is $$($(PYTHON) --version) (choose another: make PYTHON=python3.12)" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments (Debian: apt install python3-venv)" >&2; exit 1; }
	@echo "Making .venv and installing silvr with what it needs; this takes a few minutes"
	@$(PYTHON) -m venv .venv
	@$(PIP) install --quiet --upgrade pip
	@$(PIP) install --quiet --editable .
	@touch $@
	@echo "Ready: $(BIN)/silvr --help"

$(DEV_READY): $(READY)
	@echo "Installing the tools that tests and checks need"
	@$(PIP) install --quiet --group dev
	@touch $@

weights: setup
	$(BIN)/silvr models pull

demo: weights
	$(BIN)/silvr ask examples/tour.mp4 "When does the last bus leave?"

test: weights $(DEV_READY)
	$(BIN)/silvr models pull smollm2-135m minilm-l6-v2 mpnet-base-v2
	$(BIN)/pytest -n 2 -m "not models"
	$(BIN)/pytest -m models

check: $(DEV_READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2 -m "not models"

format: $(DEV_READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: setup
	$(BIN)/python docs/make_help.py
	$(BIN)/python docs/make_schemas.py
	$(BIN)/python docs/make_backends.py

bench: weights
	$(BIN)/python benchmarks/help_cost.py
	$(BIN)/python benchmarks/visual_pass.py $(VIDEO)
	$(BIN)/python benchmarks/cuts.py $(VIDEO) $(TRUTH)
	$(BIN)/python benchmarks/questions.py $(VIDEO) $(TRUTH)

clean:
	rm -rf .venv .venv-extras build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
