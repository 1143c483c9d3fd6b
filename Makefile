# Every target sets up what it needs. PYTHON names another interpreter, 3.11 or newer: make test PYTHON=python3.12

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
RUNNABLE := .venv/.runnable
PARALLEL := --numprocesses=auto --maxprocesses=8 --dist=loadfile

.DEFAULT_GOAL := help
.PHONY: help run test test-long test-redis test-python test-image test-clients check evidence egress scopes bench bench-all faults faults-whole faults-selfcheck screenshots pictures test-google lock mutants sbom dist fuzz-api clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(RUNNABLE) ## start everything on this machine; Ctrl-C stops it
	@$(BIN)/calendar-service run

test: $(READY) ## the test suite, browser included
	@.ci/ensure_chromium
	@node=$$(.ci/node_witness) && network=$$(.ci/network_namespace) && proxy=$$(.ci/nginx_proxy) && alerts=$$(.ci/promtool) && \
		$(BIN)/python -m pytest -q $(PARALLEL) $$node $$network $$proxy $$alerts

test-long: $(READY) ## the same, with many more generated examples
	@.ci/ensure_chromium
	@node=$$(.ci/node_witness) && network=$$(.ci/network_namespace) && proxy=$$(.ci/nginx_proxy) && alerts=$$(.ci/promtool) && \
		$(BIN)/python -m pytest -q $(PARALLEL) $$node $$network $$proxy $$alerts --hypothesis-profile=long

test-redis: $(READY) ## scripts, main job, users and files with Redis itself instead of Valkey
	@.ci/redis_server
	@$(BIN)/python -m pytest -q $(PARALLEL) -p tests.support.redis_server tests/adapters/store/test_slot.py \
		tests/journeys/test_main_job.py tests/journeys/test_gone_from_files.py tests/journeys/test_database_access.py

test-python: $(READY) ## the unit tests under the oldest and the newest supported Python that this machine has
	@set -e; for python in $$(.ci/other_pythons); do \
		place=.venv/$$($$python -c 'import sys; print("python%d.%d" % sys.version_info[:2])'); \
		[ -x $$place/bin/pip ] || $$python -m venv --clear $$place; \
		$$place/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock; \
		$$place/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .; \
		echo "$$place"; $$place/bin/python -m pytest -q $(PARALLEL) tests/unit; \
	done

test-image: $(READY) ## builds the image without an engine, starts it unprivileged and read-only; root, buildah and mmdebstrap are needed
	@place=$$(mktemp -d) && trap "rm -rf $$place" EXIT && root=$$(.ci/image_root $$place) && \
		IMAGE_PLACE=$$place IMAGE_ROOT=$$root $(BIN)/python -m pytest -q tests/deploy/image.py

test-clients: $(READY) ## public linters and generators read /openapi.json; the clients they make live a whole life on a real `run`
	@tools=$$(.ci/client_tools) && $(BIN)/python -m pytest -q --numprocesses=2 --dist=loadfile $$tools \
		tests/clients/linters.py tests/clients/lives.py

check: $(READY) ## format, lint, types, architecture, lock file, names, security, secrets, the report's list of tests
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -c 'import calendar_service.wiring'  # a circle of imports shows only when it is walked
	@$(BIN)/python .ci/check_project.py
	@$(BIN)/python .ci/check_names.py
	@$(BIN)/python .ci/check_security.py
	@$(BIN)/python .ci/check_secrets.py
	@$(BIN)/bandit --quiet --recursive --severity-level medium calendar_service local_google faults
	@$(BIN)/python -m tests.support.evidence --check

evidence: $(READY) ## write the report's list of tests anew, from the marks on the tests
	@$(BIN)/python -m tests.support.evidence

egress: $(READY) ## counts the packets of a whole journey by where they go; needs Linux, iproute2 and nftables
	@$(BIN)/python -m tests.e2e.egress

scopes: $(READY) ## finds out again what would fail under narrower permissions, and writes docs/scopes.md
	@$(BIN)/python -m tests.journeys.scopes

# Each has --help, and --json where it prints figures. google_compared.py needs another emulator, and google_broken_laws.py changes code.
QUICK_BENCHES := sizes.py calls.py trips.py metrics.py worker_start.py "memory.py --agents 30" "google_call.py --rounds 3" \
	"operation.py --rounds 3"
ALL_BENCHES := sizes.py calls.py trips.py metrics.py worker_start.py memory.py audit_memory.py google_speed.py google_call.py \
	operation.py throttle.py neighbours.py backlog.py growth.py
run_benches = set -e; for bench in $(1); do echo; echo "== python bench/$$bench"; $(BIN)/python bench/$$bench; done

bench: $(READY) ## what an operation costs and how long it takes, and other measurements; five minutes
	@$(call run_benches,$(QUICK_BENCHES))

bench-all: $(READY) ## all measurements, in full; within an hour
	@$(call run_benches,$(ALL_BENCHES))

test-google: $(READY) ## the laws about Google against the real one; LAWS_CLIENT_ID, LAWS_CLIENT_SECRET, LAWS_REFRESH_TOKEN are needed
	@[ -n "$$LAWS_REFRESH_TOKEN" ] || { echo 'Set the three variables; the head of tests/local_google/real_google.py says how.' >&2; exit 2; }
	@$(BIN)/python -m pytest -q -o addopts= tests/local_google/real_google.py

faults: $(READY) ## break the real processes on purpose and check every promise: make faults SEED=1 COUNT=150
	@$(BIN)/python -m faults --seed $(or $(SEED),1) --count $(or $(COUNT),150)

faults-whole: $(READY) ## at least 50 faults of every kind, 30 ends at every named step; hours: make faults-whole SEED=1 KEEP=/tmp/whole
	@$(BIN)/python -m faults --seed $(or $(SEED),1) --whole $(if $(KEEP),--keep $(KEEP))

faults-selfcheck: $(READY) ## show that the fault campaign can fail: it has to catch every seeded defect
	@$(BIN)/python -m faults selfcheck

screenshots: $(READY) ## pictures of every page and state, and the table of axe and weights, in artefacts/
	@.ci/ensure_chromium
	@$(BIN)/python -m tests.pages

pictures: $(READY) ## the few pictures that README shows, anew
	@.ci/ensure_chromium
	@$(BIN)/python -m tests.pages.readme

fuzz-api: $(READY) ## requests made from the API's own description, each answer held against it: make fuzz-api CASES=10000 SEED=1
	@$(BIN)/python -m tests.security.api_fuzzing --cases $(or $(CASES),10000) --seed $(or $(SEED),1)

mutants: $(READY) ## changes vault, teardown, erasure and receipts in every place, and counts what no test notices; half an hour
	@$(BIN)/python -m tests.security.mutants

sbom: $(READY) ## the bill of materials of what production installs, CycloneDX, in artefacts/sbom.json
	@mkdir -p artefacts
	@$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --of JSON \
		-o artefacts/sbom.json requirements-production.lock

dist: $(READY) ## wheel and sdist in dist/, byte for byte the same for one commit
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python .ci/build_dist.py dist

lock: $(READY) ## renew the locks of Python's packages, keeping pins that still fit
	@[ -x .venv/lock/bin/uv ] || { $(PYTHON) -m venv .venv/lock && .venv/lock/bin/python -m pip install --quiet uv; }
	@.venv/lock/bin/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-emit-index-url \
		--all-extras pyproject.toml -o requirements.lock
	@.venv/lock/bin/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-emit-index-url \
		--extra build -c requirements.lock pyproject.toml -o requirements-production.lock
	@.venv/lock/bin/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-emit-index-url \
		tests/clients/requirements.in -o tests/clients/requirements.lock
	@.venv/lock/bin/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-emit-index-url \
		--extra build --extra embedded -c requirements.lock pyproject.toml -o requirements-run.lock

clean: ## remove what the targets made, except the data of `run`
	@rm -rf artefacts tests/local_google/node/node_modules tests/clients/node/node_modules .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Behind stamps: only hashed wheels are installed, then the package itself, editable and without a look online. `run` needs
# a third of what the tests need, and whatever has everything has that.
define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo 'Python 3.11 or newer is needed. Name it so: make PYTHON=python3.12 …' >&2; exit 1; }
	@[ -x $(BIN)/pip ] || $(PYTHON) -m venv --clear .venv
	@echo 'Installing $(2) into .venv, once: $(3) …'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $(1)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
endef

$(RUNNABLE): requirements-run.lock pyproject.toml
	$(call install,requirements-run.lock,what `run` needs,about 250 MB; half a minute on a fast line)
	@touch $@

$(READY): requirements.lock pyproject.toml
	$(call install,requirements.lock,everything for tests and checks,about 840 MB; two minutes on a fast line)
	@touch $(RUNNABLE) $@
