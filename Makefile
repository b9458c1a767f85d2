# Everything that a newcomer or CI runs. `make` alone prints what there is.

PYTHON ?= $(firstword $(foreach name,python3.13 python3.12 python3.11 python3,$(if $(shell $(name) -c 'import sys; print(sys.version_info >= (3, 11) or "")' 2>/dev/null),$(name))))
VENV := .venv
BIN := $(VENV)/bin
SHELL := /bin/bash
SERVERS := rabbitmq opensearch postgres postgres15 minio elasticmq aws redis
ON_15 := tests/records tests/search tests/review tests/accounts

.DEFAULT_GOAL := help
.PHONY: help run test check audit bench bench-stack chaos stack stack-install stack-down run-stack test-stack test-training images requirements format samples clean

help:  ## Print this
	@echo "make TARGET, where TARGET is one of"
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1|\2/' | column -t -s '|'

run: $(VENV)/.run  ## Install into .venv and start Nafuda with sample images; DATA=dir PORT=n
	@$(BIN)/nafuda run $(if $(DATA),--data '$(DATA)') $(if $(PORT),--port $(PORT))

test: $(VENV)/.dev  ## Install and run the tests (no root, no network but package registries)
	$(BIN)/python -m pytest -q -n 2 --dist loadfile $(ARGS)

check: $(VENV)/.dev  ## ruff, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev  ## The benchmarks on embedded parts; make prints the command of each
	$(BIN)/python -m benchmarks.decode
	$(BIN)/python -m benchmarks.batching
	$(BIN)/python -m benchmarks.batch_sizes
	$(BIN)/python -m benchmarks.pipeline
	$(BIN)/python -m benchmarks.search
	$(BIN)/python -m benchmarks.similar
	$(BIN)/python -m benchmarks.reconcile
	$(BIN)/python -m benchmarks.backfill

bench-stack: $(VENV)/.dev  ## The benchmarks on the real servers, which each starts for itself
	$(BIN)/python -m benchmarks.pipeline --stack real
	$(BIN)/python -m benchmarks.pipeline --stack real --device timed --images 1000
	$(BIN)/python -m benchmarks.pipeline --stack real --device timed --batch 400 --images 1000
	$(BIN)/python -m benchmarks.arrival --images 16
	$(BIN)/python -m benchmarks.arrival --no-spool --images 24
	$(BIN)/python -m benchmarks.burst --events 3000
	$(BIN)/python -m benchmarks.backfill --stack real
	$(BIN)/python -m benchmarks.search --on both --records 50000 --queries 200

chaos: $(VENV)/.dev  ## Break everything: 1,000 uploads on embedded parts, 10,000 on the real stack (as root)
	$(BIN)/python -m tests.e2e.chaos
	$(BIN)/python -m tests.faults

stack: $(VENV)/.dev  ## Start RabbitMQ, MinIO, PostgreSQL and OpenSearch on this machine; prints their environment
	@$(BIN)/python -m tests.stack up

stack-install: $(VENV)/.dev  ## Install all servers that tests use, and start none
	@$(BIN)/python -m tests.stack install $(SERVERS) toxiproxy

stack-down: $(VENV)/.dev  ## Stop them; what they store stays
	@$(BIN)/python -m tests.stack down

run-stack: $(VENV)/.dev  ## Start them, and Nafuda on them with sample images; a bucket that tells; PORT=n SAMPLES=n
	@set -e; environment=$$($(BIN)/python -m tests.stack up); eval "$$environment"; \
	$(BIN)/python -m tests.stack.telling images; \
	export NAFUDA_OBJECTS_URL="s3+$$NAFUDA_TEST_S3_URL" NAFUDA_EVENTS_URL="$$NAFUDA_TEST_BROKER_URL"; \
	export NAFUDA_SEARCH_URL="$$NAFUDA_TEST_OPENSEARCH_URL" NAFUDA_DERIVED_URL="s3+$$NAFUDA_TEST_S3_URL/derived"; \
	export NAFUDA_DIRECT_URL="$$NAFUDA_TEST_S3_URL"; \
	exec $(BIN)/nafuda run --data '$(or $(NAFUDA_STACK_DIR),.stack)/nafuda' $(if $(PORT),--port $(PORT)) $(if $(SAMPLES),--samples-count $(SAMPLES))

test-stack: $(VENV)/.dev  ## Tests on real servers: started here, or those that NAFUDA_TEST_*_URL name
	@trap '$(BIN)/python -m tests.stack down' EXIT; set -e; \
	environment=$$($(BIN)/python -m tests.stack up $(SERVERS)); eval "$$environment"; \
	$(BIN)/python -m pytest -q -m stack $(ARGS); \
	$(BIN)/python -m pytest -q tests/records $(ARGS); \
	export NAFUDA_TEST_DATABASE_URL="$$NAFUDA_TEST_POSTGRES15_URL"; \
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m 'not stack and not vectors' $(ON_15) $(ARGS)

test-training: .venv-training/.done  ## Install torch into .venv-training and run the tests that train
	.venv-training/bin/python -m pytest -q -m training tests/training

images:  ## Build the container images cpu and web with buildah and try them (as root; no Docker)
	@docker/images.sh

audit: $(VENV)/.dev  ## Ask PyPI for known vulnerabilities of what is locked; fails for what it cannot ask about
	$(BIN)/python -m pip install -q pip-audit
	for set in run web cuda tensorrt dev training imgutils build; do $(BIN)/pip-audit --strict --require-hashes --disable-pip -r requirements/$$set.txt || exit 1; done

format: $(VENV)/.dev  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

requirements: $(VENV)/.dev  ## Lock the requirements again (with hashes, without index addresses)
	$(BIN)/python -m pip install -q uv
	for set in 'run cpu' 'dev cpu ocr sqs redis test stack check' 'training training caption compare test'; do \
	  name=$${set%% *}; extras=$${set#* }; \
	  $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	    pyproject.toml $$(printf -- '--extra %s ' $$extras) -o requirements/$$name.txt; \
	done
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --no-deps requirements/imgutils.in -o requirements/imgutils.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  -c requirements/run.txt pyproject.toml -o requirements/web.txt
	for set in cuda tensorrt; do \
	  $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	    -c requirements/run.txt pyproject.toml requirements/$$set.in -o requirements/$$set.txt; \
	done
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  requirements/build.in -o requirements/build.txt

clean:  ## Remove what was installed and cached here; data stays
	rm -rf $(VENV) .venv-training .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist *.egg-info

define venv
	@test -n '$(PYTHON)' || { echo "Python 3.11 or newer is needed; install it, or say make PYTHON=/path/to/python"; exit 1; }
	@test -x $(1)/bin/python || $(PYTHON) -m venv $(1)
	@echo "installing into $(1)"
	@$(1)/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r $(2)
	@$(1)/bin/python -m pip install -q --disable-pip-version-check --no-deps -e .
endef

$(VENV)/.run: requirements/run.txt pyproject.toml
	$(call venv,$(VENV),requirements/run.txt)
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml
	$(call venv,$(VENV),requirements/dev.txt)
	@touch $@ $(VENV)/.run

.venv-training/.done: requirements/training.txt requirements/imgutils.txt pyproject.toml
	$(call venv,.venv-training,requirements/training.txt)
	@.venv-training/bin/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r requirements/imgutils.txt
	@touch $@
