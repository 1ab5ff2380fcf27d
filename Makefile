# Each target sets up .venv by itself and uses it again while requirements.lock stays the same.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
COMPILED := $(VENV)/.compiled

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# No library is to call home.
export HF_HUB_DISABLE_TELEMETRY := 1
export DAGSTER_DISABLE_TELEMETRY := 1
export DO_NOT_TRACK := 1

.PHONY: setup demo test lint dev bench docs lock clean

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=..." >&2; exit 1; }
	"$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: $(STAMP)
	@$(BIN)/clustering demo

dev: $(STAMP)
	@$(BIN)/clustering dev

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Four workers for two cores: tests of whole processes wait a lot. Their files come first, so that others use the time.
test: $(STAMP)
	@$(MAKE) --no-print-directory --jobs=2 lint $(COMPILED)
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder

# numba keeps what it compiles: once here, instead of in every process that tests start.
$(COMPILED): $(STAMP)
	@folder=$$(mktemp -d) && CLUSTERING_DATA="$$folder" $(BIN)/clustering demo > "$$folder/demo.log" || { cat "$$folder/demo.log"; exit 1; }; rm -r "$$folder"
	@touch $@

bench: $(STAMP)
	$(BIN)/python -m clustering_platform_tests.benchmarks

docs: $(STAMP)
	$(BIN)/python -m clustering_platform.docs

lock:
	"$(PYTHON)" -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet torch==2.13.0
	$(VENV)-lock/bin/python -m pip install --quiet -e '.[test]' setuptools
	$(VENV)-lock/bin/python -m pip freeze --all --exclude-editable | grep -v '^pip==' | sed 's/+cpu$$//' > requirements.lock
	rm -rf $(VENV)-lock

clean:
	rm -rf $(VENV)
