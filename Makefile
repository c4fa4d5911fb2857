# make demo   install, fetch the default models, index examples/wiki, answer questions in this terminal
# make install   install alone: after `git pull`, what make demo does before anything else
# make test   install what the tests need, check style, types and imports, run every test
# make bundle              everything for an installation without a network, in dist/ (BUNDLE_ARGS="--tar --models NAME …")
# make install-offline     from such a bundle, without any network: BUNDLE=dist/saseo-… [PREFIX=/opt/saseo]; docs/installing.md
#
# Behind a company mirror: pip's own configuration (PIP_INDEX_URL, pip.conf) is used for packages and models alike.
# PIP_ARGS adds to it; on a Linux machine without a GPU this avoids gigabytes of CUDA:
#   make demo PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP_ARGS ?=
BUNDLE ?=
BUNDLE_ARGS ?=
PREFIX ?=
# Processes that run tests: more than a small machine has cores, for many tests wait.
TEST_PROCESSES ?= 3
# The small writer of the tests; the demo uses the default of config.toml.
TEST_MODELS := multilingual-e5-small qwen2.5-coder-0.5b

.PHONY: demo install test lint format clean bundle install-offline

demo: $(VENV)/.installed
	$(BIN)/saseo models pull
	$(BIN)/saseo index
	@if [ -t 0 ]; then $(BIN)/saseo chat; else $(BIN)/saseo chat < examples/sample_questions.txt; fi

install: $(VENV)/.installed

test: $(VENV)/.installed-dev lint
	$(BIN)/saseo models pull $(TEST_MODELS)
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Saseo needs Python 3.11 or newer: make demo PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing; llama.cpp is compiled here once, which takes some minutes ..."
	$(BIN)/python -m pip install --progress-bar on $(PIP_ARGS) -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing; llama.cpp is compiled here once, which takes some minutes ..."
	$(BIN)/python -m pip install --progress-bar on $(PIP_ARGS) -c constraints.txt -e ".[dev]"
	@touch $@ $(VENV)/.installed

bundle: $(VENV)/.installed
	$(BIN)/python deploy/bundle.py --pip-args="$(PIP_ARGS)" $(BUNDLE_ARGS)

install-offline:
	@test -n "$(BUNDLE)" || { echo "Which bundle? make install-offline BUNDLE=dist/saseo-…"; exit 2; }
	@case "$(BUNDLE)" in *.tar) tar -xf "$(BUNDLE)" -C "$(dir $(BUNDLE))";; esac
	sh "$(BUNDLE:.tar=)/install.sh" $(if $(PREFIX),--prefix "$(PREFIX)")

# Not var: a wiki's records and keys may lie there.
clean:
	rm -rf dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
