# Everything starts here. `make` alone lists the commands.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv/bin
T ?= tests

.DEFAULT_GOAL := help
.PHONY: help setup demo test faults check lock clean

##@ Use
setup: .venv/.ready ## Prepare the virtual environment and the broker's jars
	@$(VENV)/python -m deploy.local.jars

demo: setup ## Play the stories on a fresh world, from nothing
	@./onething demo

##@ Work on it
test: setup ## Run the tests, or some of them: make test T=tests/rules
	@$(VENV)/python -m deploy.local.asyncapi_parser
	@$(VENV)/python -m pytest $(T)

faults: setup ## Run every fault at every moment and write docs/faults.md; takes an hour
	@rm -f .onething/faults.json
	@$(VENV)/python -m pytest tests/faults -m ""; broken=$$?; $(VENV)/python -m tests.faults.page && exit $$broken

check: setup ## Lint and check types
	@$(VENV)/ruff check .
	@$(VENV)/pyright

lock: setup ## Resolve requirements.in and the jars anew (needs uv)
	@command -v uv >/dev/null || { echo "uv is not installed. See https://docs.astral.sh/uv/ and run it again." >&2; exit 1; }
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements.in -o requirements.lock
	$(VENV)/python -m deploy.local.jars --lock

clean: ## Remove the virtual environment, the jars and every world
	@if [ -x $(VENV)/python ]; then ./onething down; fi
	rm -rf .venv .onething

##@ Help
help: ## List the commands
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/.ready: requirements.lock
	@command -v $(PYTHON) >/dev/null || { echo "Python is not installed. Install Python 3.11 or later and run it again." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; $(PYTHON) is older. Install it, or name one: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) deploy/local/install.py
	@touch $@
