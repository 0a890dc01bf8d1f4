# Every verb sets up what it needs first. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
PIP := PYTHONWARNINGS=ignore $(BIN)/python -m pip --quiet --disable-pip-version-check
CATALOGS := $(patsubst %.po,%.mo,$(wildcard soinbox_web/translations/*/LC_MESSAGES/*.po))
PYTEST ?= $(BIN)/python -m pytest -n auto --dist loadfile

.PHONY: help install demo run test test-bare check lint types arch bench bench-pages doctor-report trust soak docs texts screenshots film clean

help: ## list the verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

install: $(VENV)/.demo $(CATALOGS) ## what the product itself needs, in .venv

demo: $(VENV)/.demo $(CATALOGS) ## the product at a printed URL, with its own mail servers and sample mail
	@$(BIN)/soinbox demo $(if $(PORT),--port $(PORT))

run: $(VENV)/.demo $(CATALOGS) ## the product on ./instance (settings: docs/settings.md)
	@$(BIN)/soinbox serve

test: $(VENV)/.test $(CATALOGS) ## every test, Dovecot, Postfix and Chromium included
	@tests/debian-parts
	$(PYTEST) $(ARGS)

test-bare: ## both commands of the README in a bare Debian 12, made and removed (root, debootstrap)
	@tests/bare $(if $(ARGS),ARGS="$(ARGS)")

check: lint types arch ## what must hold before a commit, besides the tests

lint: $(VENV)/.test ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test ## mypy, strict
	$(BIN)/mypy

arch: $(VENV)/.test ## who may import whom
	$(BIN)/lint-imports

bench: $(VENV)/.test $(CATALOGS) ## figures beside their peers, as ratios and as JSON
	@tests/debian-parts
	$(BIN)/python -m bench $(ARGS)

bench-pages: $(VENV)/.test $(CATALOGS) ## pages beside Roundcube's on the same server (ARGS="--size 10000")
	@tests/debian-parts
	$(BIN)/python -m bench.pages $(ARGS)

doctor-report: $(VENV)/.test $(CATALOGS) ## the numbers of set-up beside their goals, counted by the servers
	@tests/debian-parts
	$(BIN)/python -m tests.reports.doctor $(ARGS)

trust: $(VENV)/.test $(CATALOGS) ## all trust figures T1 to T12: met or missed (about two hours)
	@tests/debian-parts
	$(BIN)/python -m tests.reports.trust $(ARGS)

soak: $(VENV)/.test $(CATALOGS) ## 50 accounts, 10,000 arrivals, servers restarted at random (10 minutes)
	@tests/debian-parts
	$(BIN)/python -m tests.reports.soak $(ARGS)

docs: $(VENV)/.test $(CATALOGS) ## write docs/schema.sql, problems.md and settings.md anew
	$(BIN)/python -m tests.house.documents

texts: $(VENV)/.test ## gather the texts into the Dutch catalog and list those without Dutch
	@$(BIN)/python -m tests.house.texts

screenshots: $(VENV)/.test $(CATALOGS) ## the picture in the README and those of every screen
	@tests/debian-parts
	$(BIN)/python -m tests.browser.screenshots $(ARGS)

film: $(VENV)/.test $(CATALOGS) ## a mailbox of 100,000 messages opened in Chromium, as a strip of pictures
	@tests/debian-parts
	$(BIN)/python -m tests.browser.film $(ARGS)

clean: ## remove what was made (the instance stays)
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache

%.mo: %.po $(VENV)/.demo
	@$(BIN)/pybabel --quiet compile --use-fuzzy -i $< -o $@

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "soinbox needs Python 3.11 or newer.  Debian: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "soinbox needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version).  Debian: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv module is missing.  Debian: apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing soinbox into $(VENV) …"
	@$(PIP) install --constraint constraints.txt --editable '.[demo]'
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt $(VENV)/.demo
	@echo "Installing what the tests need into $(VENV) …"
	@$(PIP) install --constraint constraints.txt --editable '.[demo,test]'
	@touch $@
