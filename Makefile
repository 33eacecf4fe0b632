# One virtual environment in .venv, made once and again only when its inputs change.
# Offline: fill wheels/ with `pip wheel -w wheels -r constraints.txt` while there is a network, then
# set PIP_NO_INDEX=1 and PIP_FIND_LINKS to that folder's absolute path.
.DEFAULT_GOAL := help
.PHONY: help demo lab test quick check bench soak build lock clean
BIN := .venv/bin
WORKERS ?= 2
# constraints.txt is made with Python 3.11, so it is the first choice; `make PYTHON=...` overrides.
SUITABLE := 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))'
PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3,$(shell \
  $(p) -c $(SUITABLE) 2>/dev/null && echo $(p))))
PIP := $(BIN)/python -m pip install -q

export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1# asks a server for newer versions otherwise
ifneq ($(shell test -d "$$HOME" -a -w "$$HOME" && echo yes),yes)# Jupyter and pip write below HOME
export XDG_CACHE_HOME := $(CURDIR)/.venv/home/cache
export IPYTHONDIR := $(CURDIR)/.venv/home/ipython
export JUPYTER_CONFIG_DIR := $(CURDIR)/.venv/home/jupyter-config
export JUPYTER_DATA_DIR := $(CURDIR)/.venv/home/jupyter-data
endif

help: ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-6s %s\n", $$1, $$2}' Makefile

.venv/ready: pyproject.toml constraints.txt
	@$(or $(PYTHON),false) -c $(SUITABLE) 2>/dev/null || { echo "IAI Flow Lab needs Python 3.11 or newer with its venv module; install it, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) -c constraints.txt hatchling editables
	$(PIP) -c constraints.txt --no-build-isolation -e '.[lab,test]'
	@touch $@
.venv/bench: .venv/ready
	$(PIP) -c constraints.txt --no-build-isolation -e '.[bench]'
	@touch $@

demo: .venv/ready ## run the flights notebook as a queued production run
	@$(BIN)/iaiflow demo
lab: .venv/ready ## open the examples in JupyterLab
	@$(BIN)/iaiflow lab
test: .venv/ready ## run every test
	$(BIN)/python -m pytest -n $(WORKERS)
quick: .venv/ready ## run the tests that take no more than a moment
	$(BIN)/python -m pytest -n $(WORKERS) -m 'not slow'
check: .venv/ready ## lint, formatting, types, import direction
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/pyright && $(BIN)/lint-imports
bench: .venv/bench ## measure beside other engines; prints a table, writes JSON
	$(BIN)/python tests/benchmarks/run.py
soak: .venv/ready ## run every test with its random and fault parts at full length
	IAIFLOW_SOAK=1 $(BIN)/python -m pytest -n $(WORKERS) --timeout 7200
build: .venv/ready ## make the wheel and the source archive in dist/
	$(BIN)/hatchling build
lock: ## pin binder/requirements.txt and constraints.txt anew
	tools/lock $(PYTHON)
clean: ## remove the environment, caches and builds
	rm -rf .venv build dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis
