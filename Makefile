# One virtual environment in .venv, made once and again only when its inputs change.
# Offline: fill wheels/ with `pip wheel -w wheels -r constraints.txt` while there is a network, then
# set PIP_NO_INDEX=1 and PIP_FIND_LINKS to that folder's absolute path.
.DEFAULT_GOAL := help
.PHONY: help demo lab test quick check check-python check-canvas bench soak build lock clean
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
# The canvas. Built anew when one of its sources is newer.
NODE_SUITABLE := 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a === 22 && b > 11) || (a === 20 && b > 18) ? 0 : 1)'
FRONT := $(shell find extension/src extension/style extension/schema -type f 2>/dev/null)
extension/node_modules/ready: extension/package-lock.json
	@node -e $(NODE_SUITABLE) 2>/dev/null || { echo "The canvas is built with Node 20.19, 22.12 or newer; install it from nodejs.org or your system's packages" >&2; exit 1; }
	cd extension && npm install --no-save --silent && touch node_modules/ready
.venv/canvas: .venv/ready extension/node_modules/ready extension/package.json extension/esbuild.mjs $(FRONT)
	cd extension && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent build
	$(BIN)/jupyter-builder develop . --overwrite >/dev/null
	install -D -m 644 extension/iaiflow_extension.json .venv/etc/jupyter/jupyter_server_config.d/iaiflow_extension.json
	@touch $@
# Real-time collaboration stands apart, so that everything is tested with it and without it.
.venv/collaboration/ready: .venv/ready constraints.txt
	$(PIP) -c constraints.txt --no-deps --upgrade --target .venv/collaboration jupyter-collaboration \
	  jupyter-collaboration-ui jupyter-docprovider jupyter-server-ydoc jupyter-server-fileid \
	  pycrdt pycrdt-store pycrdt-websocket sqlite-anyio
	@touch $@
.venv/bench: .venv/ready
	$(PIP) -c constraints.txt --no-build-isolation -e '.[bench]'
	@touch $@

demo: .venv/ready ## run the flights notebook as a queued production run
	@$(BIN)/iaiflow demo
lab: .venv/canvas ## open the examples in JupyterLab
	@$(BIN)/iaiflow lab
test: .venv/canvas .venv/collaboration/ready ## run every test; browser tests want Chromium
	cd extension && npm test --silent
	$(BIN)/python -m pytest -n $(WORKERS)
quick: .venv/canvas ## run the tests that take no more than a moment
	cd extension && npm test --silent
	$(BIN)/python -m pytest -n $(WORKERS) -m 'not slow and not browser'
check: check-python check-canvas ## lint, formatting, types, import direction
check-python: .venv/ready
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/pyright && $(BIN)/lint-imports
check-canvas: extension/node_modules/ready
	cd extension && npm run --silent check
bench: .venv/bench ## measure beside other engines; prints a table, writes JSON
	$(BIN)/python tests/benchmarks/run.py
soak: .venv/canvas .venv/collaboration/ready ## run every test with its random and fault parts at full length
	IAIFLOW_SOAK=1 $(BIN)/python -m pytest -n $(WORKERS) --timeout 36000
build: .venv/canvas ## make the wheel and the source archive in dist/
	$(BIN)/hatchling build
lock: ## pin binder/requirements.txt and constraints.txt anew
	tools/lock $(PYTHON)
clean: ## remove the environment, caches and builds
	rm -rf extension/node_modules extension/lib extension/labextension extension/testpage/dist
	rm -rf iaiflow_lab/canvas/static memory/iaiflow_memory/inspector/static
	rm -rf agents/iaiflow_agents/chat/static
	rm -rf .venv build dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis
