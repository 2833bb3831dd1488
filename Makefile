# Two commands do everything on a fresh machine:  make demo   and   make test
# Everything they need is installed by them: Debian packages (as root), a virtual environment,
# and, once, the Kubernetes binaries (built from Go modules into the user's cache folder).

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
NODES  ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo proof balancers faults hosts test check unit e2e cluster down bench format lock clean packages tools clients

help:  ## Show this list
	@grep -hE '^[a-z][a-z-]*:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

demo: tools  ## Three rollouts of one service under load: plain, sleep, lossless (needs root or Docker)
	$(BIN)/python -m e2e.demo

proof: tools clients  ## Every client, protocol and proxy: what is lost, plain and lossless (about an hour)
	$(BIN)/python -m e2e.proof

balancers: tools clients  ## HAProxy, nginx and Envoy before the cluster, by every route: what is lost (about 5 minutes)
	$(BIN)/python -m e2e.balancers

faults: tools  ## Every fault in the middle of a rollout: what is lost, and what is left (about half an hour, needs root)
	$(BIN)/python -m e2e.faults

hosts: $(VENV)/.done packages  ## Three rolling publishes on hosts without Kubernetes (needs root)
	$(BIN)/python -m e2e.hosts

test: check unit e2e  ## All of it: lint, types, layers, unit tests, chart, and e2e on a real cluster

check: $(VENV)/.done  ## Format, lint, types, import layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=operator $(BIN)/lint-imports

unit: tools  ## Unit tests and chart tests
	LOSSLESS_REQUIRE_TOOLS=1 $(BIN)/python -Im pytest

e2e: tools clients  ## End-to-end tests on a real multi-node cluster
	$(BIN)/python -m pytest e2e --timeout=900

cluster: tools  ## Start the cluster (or say that it runs)
	$(BIN)/python -m e2e.cluster up --nodes $(NODES)

down: $(VENV)/.done  ## Remove the cluster and everything it left on this machine
	$(BIN)/python -m e2e.cluster down

bench: $(VENV)/.done  ## Print the benchmark tables
	for b in bench/*.py; do $(BIN)/python $$b || exit 1; done

format: $(VENV)/.done  ## Format and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(VENV)/.done  ## Lock the dependencies anew (names, versions, hashes)
	tools/lock

clean:  ## Remove the virtual environment and caches of this folder
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

packages:
	e2e/cluster/install-packages
	e2e/cluster/install-packages e2e/hosts/debian-packages.txt

tools: $(VENV)/.done packages
	$(BIN)/python -m e2e.cluster binaries

clients: $(VENV)/.done
	e2e/cluster/install-packages e2e/clients/debian-packages.txt
	e2e/cluster/install-packages e2e/balancers/debian-packages.txt
	$(BIN)/python -m e2e.clients

$(VENV)/.done: requirements/dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@
