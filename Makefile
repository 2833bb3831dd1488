# Two commands do everything on a fresh machine:  make demo   and   make test
# Everything they need is installed by them: Debian packages (as root), a virtual environment,
# and, once, the Kubernetes binaries (built from Go modules into the user's cache folder).

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
NODES  ?= 2
# Stories that are told side by side. Each has several programs of its own and waits a third of its
# time; more of them than this only wait for the cores.
STORIES ?= $(shell expr $$(nproc) + 1)
SINCE  ?= HEAD

.DEFAULT_GOAL := help
.PHONY: help quick story pace demo proof balancers faults hosts test check site unit late e2e cluster krew down bench format generate lock clean packages tools clients

help:  ## Show this list
	@grep -hE '^[a-z][a-z-]*:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

demo: tools  ## Three rollouts of one service under load: plain, sleep, lossless (needs root or Docker)
	$(BIN)/python -m e2e.demo

proof: tools clients  ## Every client, protocol and proxy: what is lost, plain and lossless (about 25 minutes)
	$(BIN)/python -m e2e.proof

balancers: tools clients  ## HAProxy, nginx and Envoy before the cluster, by every route: what is lost (about 5 minutes)
	$(BIN)/python -m e2e.balancers

faults: tools  ## Every fault in the middle of a rollout: what is lost, and what is left (about half an hour, needs root)
	$(BIN)/python -m e2e.faults

pace: tools  ## Rollouts of 3, 12 and 30 replicas, by who paces them: seconds, and what is lost (about 10 minutes)
	$(BIN)/python -m e2e.pace

hosts: $(VENV)/.done packages  ## Three rolling publishes on hosts without Kubernetes (needs root)
	$(BIN)/python -m e2e.hosts

test: check unit e2e  ## All of it: lint, types, layers, unit tests, chart, and e2e on a real cluster

quick: $(VENV)/.done  ## Before each commit: format, lint, types, layers, the unit tests that changes since SINCE can touch
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=operator $(BIN)/lint-imports
	tests=$$(PYTHONPATH=operator:. $(BIN)/python -m tools.affected --since $(SINCE)) && \
	  if [ -n "$$tests" ]; then $(BIN)/python -Im pytest --numprocesses 4 --dist loadscope --quiet $$tests; \
	  else echo "No unit test can be touched by what has changed since $(SINCE)."; fi

story: tools  ## One story on a running cluster, brought up to date where it changed: make story NAME=test_rolling_update
	LOSSLESS_E2E=required $(BIN)/python -m pytest e2e --timeout=900 -k "$(NAME)"

check: $(VENV)/.done site  ## Format, lint, types, import layers, documentation
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=operator $(BIN)/lint-imports

site: $(VENV)/.done  ## Build the documentation's site into build/site; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict --site-dir build/site

# More processes than there are cores: most tests wait for sockets and children.
unit: tools  ## Unit tests and chart tests
	e2e/cluster/install-packages tests/pages/debian-packages.txt
	e2e/cluster/install-packages tests/proof/debian-packages.txt
	LOSSLESS_REQUIRE_TOOLS=1 $(BIN)/python -Im pytest --numprocesses 4 --dist loadscope

late: tools  ## Unit tests while I/O comes late and in other orders, as on a busy machine: races show (about 4 minutes)
	PYTHONPATH=. $(BIN)/python -m pytest -p tests.support.late_io --numprocesses 6 --dist loadscope

e2e: tools clients  ## End-to-end tests on a real multi-node cluster
	$(BIN)/python -m pytest e2e --timeout=900 --numprocesses $(STORIES)

cluster: tools  ## Start the cluster (or say that it runs)
	$(BIN)/python -m e2e.cluster up --nodes $(NODES)

krew: build/krew-venv/.done  ## The plugin's archive for this platform, and Krew's manifest: make krew REPOSITORY=URL
	PYTHONPATH=operator build/krew-venv/bin/python -m tools.krew --repository "$(REPOSITORY)"

build/krew-venv/.done: requirements/krew.txt
	$(PYTHON) -m venv build/krew-venv
	build/krew-venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

down: $(VENV)/.done  ## Remove the cluster and everything it left on this machine
	$(BIN)/python -m e2e.cluster down

bench: tools  ## Print the benchmark tables
	for b in bench/*.py; do $(BIN)/python $$b || exit 1; done

format: $(VENV)/.done  ## Format and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

generate: $(VENV)/.done  ## Make the generated pages, the reference of metrics and the dashboard anew
	for m in tools.api_reference tools.reasons tools.phase_diagram tools.chart_values monitoring; do \
	  PYTHONPATH=operator:. $(BIN)/python -m $$m || exit 1; done

lock: $(VENV)/.done  ## Lock the dependencies anew (names, versions, hashes)
	tools/lock

clean:  ## Remove the virtual environment and caches of this folder
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

packages:
	e2e/cluster/install-packages
	e2e/cluster/install-packages e2e/hosts/debian-packages.txt
	e2e/cluster/install-packages monitoring/debian-packages.txt

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
