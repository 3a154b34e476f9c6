# `make` lists what there is. Nothing is installed but in .uv, .venv, .clients and .spark; what is built from Go modules is
# cached for the user (cluster/README.md says where).

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-builtin-rules

# Many images of CI forbid byte code: then each of some hundred processes of a run would compile all modules anew.
export PYTHONDONTWRITEBYTECODE :=

PYTHON ?= python3
# Processes that run tests. They wait more than they compute, so two share a core.
WORKERS ?= $(shell echo $$((2 * $$(nproc))))
# What builds images: docker or podman.
ENGINE ?= $(shell command -v docker || command -v podman || echo docker)
BASE_IMAGE ?= python:3.13-slim
IMAGE ?= oci-jobs-operator

BIN := .venv/bin
PROJECTS := . emulator cluster
PACKS := emulator/oci_emulator/running/packs
# uv, pinned, in .uv, with the package index that pip uses here.
UV := .uv/bin/python hack/pinned_uv.py
LOCK := $(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock" --quiet
# Made anew when what is to be installed has changed.
UV_INSTALLED := .uv/installed
ENV := .venv/installed
CLIENTS := .clients/installed
SPARK := .spark/installed

# Gives the path of PYTHON, if it is new enough.
FIND_PYTHON = $(PYTHON) -c 'import sys; v = sys.version.split()[0]; sys.exit(f"$(PYTHON) is Python {v}, and 3.11 or \
later is needed: make PYTHON=/path/to/python3.11") if sys.version_info < (3, 11) else print(sys.executable)'
# Makes an environment of exactly what a file of requirements pins. Byte code is left to the first import: compiling
# all of it, most of which is never imported, takes four times as long as the rest.
define sync # directory, requirements
	@python="$$($(FIND_PYTHON))" && $(UV) venv --quiet --clear --no-project --python "$$python" $(1)
	$(UV) pip sync --quiet --python $(1) --require-hashes $(2)
endef
SAY_TORCH := printf '\033[1m==> PyTorch, for the test of distributed training\033[0m\n'
SAY_BROWSER := printf '\033[1m==> Chromium, for the tests of the emulator page\033[0m\n'
COMMA := ,
say = @printf '\033[1m==> %s\033[0m\n' '$(1)'

.PHONY: help
help: ## List the targets.
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

.PHONY: env
env: $(ENV) ## Make .venv, with everything that is needed, pinned by hash.

$(UV_INSTALLED): requirements/uv.txt
	$(call say,uv in .uv)
	@python="$$($(FIND_PYTHON))" && "$$python" -m venv --clear .uv
	.uv/bin/pip install --quiet --require-hashes --requirement $<
	@touch $@

$(ENV): requirements/dev.txt $(PROJECTS:%=%/pyproject.toml) operator/ocijobs/__init__.py | $(UV_INSTALLED)
	$(call say,Python environment in .venv)
	$(call sync,.venv,$<)
	$(UV) pip install --quiet --python .venv --no-deps --no-build-isolation $(PROJECTS:%=--editable %)
	@touch $@

.PHONY: clients
clients: $(CLIENTS) ## Make .clients, with the unmodified oci-cli and oracle-ads that tests drive.

$(CLIENTS): requirements/clients.txt | $(UV_INSTALLED)
	$(call say,oci-cli and oracle-ads in .clients)
	$(call sync,.clients,$<)
	@touch $@

.PHONY: spark
spark: $(SPARK) ## Make .spark, with pyspark, and fetch Oracle's HDFS connector: 400 MB; it needs a JDK and Maven.

$(SPARK): requirements/spark.txt emulator/oci_emulator/running/connector/pom.xml | $(ENV)
	$(call say,pyspark and the HDFS connector in .spark)
	$(call sync,.spark,$<)
	$(BIN)/oci-emulator spark connector
	@touch $@

.PHONY: torch
torch: ## Install Debian's PyTorch for its Python, if there is none.
	@/usr/bin/python3 -c 'import torch' 2> /dev/null || { $(SAY_TORCH); command -v apt-get > /dev/null || \
		{ echo 'There is no apt-get here: the test of distributed training is left out.' >&2; exit 0; }; apt-get update --quiet=2 && \
		apt-get install --quiet=2 --yes --no-install-recommends python3-torch > /dev/null; }

.PHONY: browser
browser: ## Install Chromium from Debian's packages, if there is none.
	@command -v chromium > /dev/null || { $(SAY_BROWSER); command -v apt-get > /dev/null || \
		{ echo 'There is no apt-get here: install a browser that is called chromium.' >&2; exit 1; }; apt-get update --quiet=2 && \
		apt-get install --quiet=2 --yes --no-install-recommends chromium > /dev/null; }

.PHONY: control-plane chart-tools kueue tools
control-plane: $(ENV) ## Build Kubernetes' control plane: minutes the first time, then cached.
	$(call say,control plane (minutes the first time))
	$(BIN)/kubecontrolplane build

chart-tools: $(ENV) ## Build helm and kubeconform, likewise.
	$(call say,helm and kubeconform (minutes the first time))
	$(BIN)/kubecontrolplane build --set chart-tools

kueue: $(ENV) ## Build Kueue's controller, likewise.
	$(call say,Kueue (minutes the first time))
	$(BIN)/kubecontrolplane build --set kueue

tools: control-plane chart-tools kueue ## Build all three.

.PHONY: conda
conda: $(ENV) ## Build what stands in for the conda environment of the examples: a minute the first time, then cached.
	$(call say,the conda environment of the examples)
	$(BIN)/oci-emulator conda build generalml_p311_cpu_x86_64_v1

.PHONY: demo demo-down
demo: control-plane ## Run the example from kubectl apply to Succeeded; KEEP=1 leaves it running.
	$(BIN)/python hack/demo.py

demo-down: $(ENV) ## End what KEEP=1 left running.
	$(BIN)/python hack/demo.py down

.PHONY: generate verify
generate: $(ENV) ## Write what is generated: crds/, parts of the chart, docs/reference/.
	$(BIN)/python hack/generate.py

verify: $(ENV) ## Fail if something generated is not what its source says.
	$(call say,generated files)
	$(BIN)/python hack/generate.py --check

.PHONY: lint format
lint: $(ENV) ## Check style, types and the direction of imports.
	$(call say,ruff)
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet
	$(call say,mypy)
	$(BIN)/mypy
	$(call say,imports)
	$(BIN)/lint-imports

format: $(ENV) ## Format, and mend what can be mended.
	$(BIN)/ruff check --fix --quiet
	$(BIN)/ruff format --quiet

# Each tier keeps what its tests cost in .costs/. The budgets are seconds of CPU on the machine of CI, without the control
# plane; a run that is over says so.
# A worker that crashes ends the run: with one in its place pytest-xdist waits for ever, by these groups.
TEST = $(BIN)/pytest --numprocesses $(WORKERS) --max-worker-restart 0 --costs .costs/$@.json

.PHONY: test test-all test-unit bench chaos mutants coverage record
test: control-plane chart-tools conda ## Run all tests but for breadth: what to run before each commit.
	$(call say,tests: unit$(COMMA) component$(COMMA) integration$(COMMA) conformance)
	$(TEST) --cpu-budget 1400 -m 'not breadth and not bench and not chaos' tests

test-all: test tools clients browser torch spark ## Run those and breadth: Spark and PyTorch for real, oci-cli and ADS, Kueue, a browser.
	$(call say,tests of breadth)
	$(TEST) --cpu-budget 2400 -m breadth tests

test-unit: $(ENV) ## Run the tests that need neither cluster nor network.
	$(call say,unit tests)
	$(TEST) -m 'not breadth' tests/unit

chaos: control-plane conda ## Run what rolls dice: kills at any moment, and new histories. What fails prints its seed.
	$(call say,an operator that is killed at any moment)
	$(TEST) -m chaos tests
	$(call say,histories that no run had before)
	HYPOTHESIS_PROFILE=dice $(BIN)/pytest --numprocesses $(WORKERS) tests/unit/reconcile tests/unit/cron

# Measured code takes several times as long, so hypothesis searches briefly. Processes of xdist are measured, too.
# The tests of delivery count what is imported, which measuring adds to.
coverage: export HYPOTHESIS_PROFILE := brief
coverage: control-plane conda ## Measure branch coverage of the operator by unit and component tests, and hold its bounds.
	$(call say,branch coverage of the operator)
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --quiet --numprocesses $(WORKERS) \
		--max-worker-restart 0 \
		-m 'not breadth and not bench and not chaos' --ignore tests/unit/delivery tests/unit tests/component
	$(BIN)/coverage combine --quiet
	$(BIN)/python hack/coverage_gate.py

record: control-plane ## Record objects as this version writes them, in tests/recorded/VERSION, for the tests of later versions.
	$(BIN)/python hack/record_objects.py $(VERSION) --numprocesses $(WORKERS)

mutants: $(ENV) ## Try a sample of changes of the core: each is to be noticed by some test. A report, no gate.
	$(call say,mutants of backends/, reconcile/, cron/ and cloud/)
	$(BIN)/python hack/mutate.py --sample 60

bench: control-plane ## Measure: starts of the operator, a sweep of a thousand, shares of principals, the lease, the local OCI. Nothing may run beside it.
	@mkdir -p .bench
	$(call say,starts of the operator)
	@$(BIN)/kubecontrolplane up --dir .bench/control-plane --audit > /dev/null; \
		trap '$(BIN)/kubecontrolplane down --dir .bench/control-plane --delete' EXIT; \
		$(BIN)/python -m bench.start --control-plane-dir .bench/control-plane --json .bench/start.json
	$(call say,a sweep of a thousand runs)
	$(BIN)/python -m bench.sweep --json .bench/sweep.json
	$(call say,runs of one principal beside the trouble of another)
	$(BIN)/python -m bench.shares --json .bench/shares.json
	$(call say,the lease on the CPU that the chart requests)
	$(BIN)/python -m bench.scarce --json .bench/scarce.json
	$(call say,the local OCI)
	$(BIN)/pytest -s -m bench tests

.PHONY: image chart goldens lock clean
image: ## Build the operator's image from BASE_IMAGE.
	$(ENGINE) build --build-arg BASE_IMAGE=$(BASE_IMAGE) --tag $(IMAGE) .

chart: chart-tools ## Package the chart into dist/.
	"$$($(BIN)/kubecontrolplane build --set chart-tools)/helm" package helm/oci-jobs-operator --destination dist

goldens: $(ENV) ## Ask Kubernetes' own CronJob controller anew when schedules fire.
	cd cluster/crongoldens && GOFLAGS=-mod=readonly CGO_ENABLED=0 go run -modfile=../go.mod . > ../../tests/unit/cron/goldens/cron.json

lock: $(UV_INSTALLED) ## Pin all dependencies anew.
	$(LOCK) requirements/uv.in --output-file requirements/uv.txt
	$(LOCK) $(PROJECTS:%=%/pyproject.toml) requirements/dev.in --output-file requirements/dev.txt
	$(LOCK) pyproject.toml --constraint requirements/dev.txt --output-file requirements/operator.txt
	$(LOCK) $(PACKS)/generalml_p311_cpu_x86_64_v1.in --output-file $(PACKS)/generalml_p311_cpu_x86_64_v1.txt
	$(LOCK) requirements/clients.in --output-file requirements/clients.txt
	$(LOCK) requirements/spark.in --output-file requirements/spark.txt
	$(LOCK) requirements/build.in --constraint requirements/dev.txt --output-file requirements/build.txt

clean: ## Remove what make made here, but for what is cached for the user.
	@if [ -x $(BIN)/python ] && [ -d .demo ]; then $(BIN)/python hack/demo.py down; fi
	rm -rf .uv .venv .clients .spark dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .grimp_cache
