# Every chore is one command, and every command stands on `setup`: nothing else need be installed
# than make, git and Python 3.11 or newer.

SHELL := /bin/sh
.DEFAULT_GOAL := help
BIN := .venv/bin
READY := .venv/.ready
DRAWS := .venv/.draws
PYTEST := $(BIN)/python -m pytest

# Arguments for the command behind a target: make demo ARGS=--keep, make test ARGS='-k crash'.
ARGS ?=

.PHONY: help setup test faults simulate test-all lint format docs demo up kafka bench lock clean images

help: ## Show this list
	@echo 'Windlass: make TARGET [ARGS=...]'
	@echo
	@sed -n 's/^\([a-z%-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) \
		| while IFS='|' read -r target text; do printf '%-12s %s\n' "$$target" "$$text"; done

setup: $(READY) ## Make .venv with everything in it, bin/windlass too; again only when a lock changed

$(READY): deploy/setup.sh deploy/locks/dev.txt pyproject.toml
	@sh deploy/setup.sh

demo: $(READY) ## Carry real pushes through two stages on this machine (ARGS=--keep leaves it running)
	@$(BIN)/python -m deploy.demo $(ARGS)

images: $(READY) ## Build the image, start compose.yaml, carry a push through it (needs Docker; ARGS=--standin)
	@$(BIN)/python -m deploy.images.prove $(ARGS)

up: $(READY) ## Start Windlass here: every service in one process, on http://127.0.0.1:8400
	@$(BIN)/windlass up $(ARGS)

kafka: $(READY) ## Run Apache Kafka here without Docker, on 127.0.0.1:9092 (ARGS='--nodes 3', ARGS=--help)
	@$(BIN)/python -m deploy.kafka $(ARGS)

bench: $(DRAWS) ## Measure a real Windlass beside peers, an hour or so (ARGS='push --brief', ARGS=--list, ARGS=--help)
	@$(BIN)/python -m benchmarks $(ARGS)

bench-%: $(DRAWS) ## Measure one suite: make bench-push, make bench-queries (ARGS='--rounds 20')
	@$(BIN)/python -m benchmarks $* $(ARGS)

# What draws the plots, beside everything else in .venv; made again with it, and when its lock changed.
$(DRAWS): $(READY) deploy/locks/bench.txt
	@echo 'Setting up: installing what draws the plots ...'
	@$(BIN)/python -m pip --quiet --disable-pip-version-check install --require-hashes \
		--requirement deploy/locks/bench.txt
	@touch $@

test: $(READY) ## Run the tests, side by side
	@$(PYTEST) -n auto --dist loadgroup -m 'not long' $(ARGS)

faults: $(READY) ## Play every fault at full length, one after the other (ARGS='-k killing' plays one)
	@$(PYTEST) -m long $(ARGS)

simulate: $(READY) ## Play 10,000 seeds of the simulation (ARGS='--from-seed 5001', ARGS='--seed 7 --verbose')
	@$(BIN)/python -m tests.simulation $(ARGS)

test-all: lint test demo faults ## Everything there is to pass: lint, test, demo, faults

lint: $(READY) ## Check form, types, imports, generated documents
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m deploy.docs --check
	@$(BIN)/python -m benchmarks --check

format: $(READY) ## Put every file into form, mend what can be mended without thought
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: $(READY) ## Write the generated pages under docs/ again
	@$(BIN)/python -m deploy.docs
	@$(BIN)/python -m benchmarks --page

# Universal: one lock for every platform and Python that we support. An installed uv makes it; it is
# not needed for anything else.
UV ?= uv
COMPILE = $(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--no-header --no-emit-index-url
lock: ## Lock the dependencies of pyproject.toml anew (needs uv; ARGS=--upgrade moves versions)
	@command -v $(UV) >/dev/null || { \
		echo 'lock: uv is missing; install it (pip install uv), or name it: make lock UV=PATH' >&2; \
		exit 1; }
	@$(COMPILE) $(ARGS) pyproject.toml -o deploy/locks/runtime.txt
	@$(COMPILE) $(ARGS) --extra dev -c deploy/locks/runtime.txt pyproject.toml -o deploy/locks/dev.txt
	@$(COMPILE) $(ARGS) --extra bench -c deploy/locks/dev.txt pyproject.toml -o deploy/locks/bench.txt
	@$(COMPILE) $(ARGS) benchmarks/parties/buildbot.in -o deploy/locks/buildbot.txt
	@$(COMPILE) $(ARGS) benchmarks/parties/prefect.in -o deploy/locks/prefect.txt

clean: ## Remove what setup and the tools made; no data of a running Windlass
	@rm -rf .venv .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist *.egg-info
	@find . -type d -name __pycache__ -prune -exec rm -rf {} +
