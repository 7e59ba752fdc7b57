# Every command of the repository. `make` alone lists them.
PYTHON ?= python3
PY := .venv/bin/python
PROMETHEUS := deploy/prometheus

.DEFAULT_GOAL := help
.PHONY: help setup demo test up restart down status logs check check-code check-monitoring bench chaos format

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install whatever is missing
	@$(PYTHON) -m deploy.local.setup

demo: setup ## start the platform, run the main job on demonstration data, print the figures (PEOPLE=5000 for less)
	@$(PY) -m deploy.local up
	@$(PY) -m demo $(if $(PEOPLE),--people $(PEOPLE))

test: setup ## run every test against a stack of its own; `.venv/bin/coverage report` then names what no test ran
	@$(PY) -m pytest --cov --cov-report=

up: setup ## start the platform and wait until it is ready
	@$(PY) -m deploy.local up

restart: setup ## stop and start some programs, and wait until they are ready (PROGRAMS="metrics training")
	@$(PY) -m deploy.local restart $(PROGRAMS)

down: setup ## stop the platform; its data stays in var/local
	@$(PY) -m deploy.local down

status: setup ## say what runs
	@$(PY) -m deploy.local status

logs: setup ## follow the logs of everything
	@$(PY) -m deploy.local logs

check: setup check-code check-monitoring ## lint, spelling, types, layers, contracts, alert rules

check-code:
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	.venv/bin/codespell
	$(PY) -m mypy
	.venv/bin/lint-imports
	$(PY) -m contracts.asyncapi --check

# Decided when the recipe runs, not when the file is read: setup may have installed them just now.
check-monitoring:
	@if command -v promtool >/dev/null; then \
	  promtool check rules $(PROMETHEUS)/rules.yml && \
	  promtool check config $(PROMETHEUS)/prometheus.yml $(PROMETHEUS)/prometheus.compose.yml && \
	  promtool test rules $(PROMETHEUS)/rules_test.yml; \
	else echo "promtool isn't installed: alert rules are not checked"; fi
	@if command -v amtool >/dev/null; then amtool check-config $(PROMETHEUS)/alertmanager.yml; \
	else echo "amtool isn't installed: Alertmanager's configuration is not checked"; fi

bench: setup ## measure every ratio against its peer in the same run
	@$(PY) -m bench

chaos: setup ## slow proofs, then the fault harness, long form
	@$(PY) -m pytest -m slow --no-cov
	@$(PY) -m tests.faults

format: setup ## format the code
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .
