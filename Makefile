# What can be done with this checkout: `make help`. Every target first sets up what it needs, so a fresh clone needs no other step.
# Stamp files (.installed, .complete-*) say what is there; a changed requirements file, template or source renews it.

HERE := $(shell sh tools/setup/architecture.sh)
ifeq ($(HERE),)
$(error ECR Steward is developed on Linux with glibc (x86_64 or arm64): please use a Debian, Ubuntu or Fedora container or virtual machine)
endif

# Of the Lambda artefacts: this machine's own, so that they run here. `make deploy` builds its own, for the one that it was given, if any.
ARCHITECTURE ?= $(HERE)
DEPLOYED := $(if $(filter file,$(origin ARCHITECTURE)),,$(ARCHITECTURE))

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
export PYTHONPATH := tools:. # what is never installed: sam_local, lab, functions
# The fast tests write some 500 MB of small files, which are deleted with each test that passes; on a disk that takes a quarter of the time.
IN_MEMORY = $(shell [ "$$(df --output=avail -B1M /dev/shm 2>/dev/null | tail -1)" -gt 4000 ] 2>/dev/null && [ -w /dev/shm ] && echo PYTEST_DEBUG_TEMPROOT=/dev/shm)
unexport PYTHONDONTWRITEBYTECODE # images set it; then each worker and each process of a test would compile all it imports

SETUP   := .venv/.installed
WORKERS := $(shell echo $$(($$(nproc) + 1))) # tests also wait: for processes, and for time to pass
DIST    := dist
STAGES  := tests/faults tests/sam_local tests/sandbox
# File by file in their order: tests/unit, whose files are short, ends the run, and no processor waits for another's last file.
# One process for each processor: here few tests wait, and a third one would import and collect everything once more.
FAST    = -n $(shell nproc) --dist loadfile --no-loadscope-reorder -m "not slow and not client and not docker"
LOCAL_ECR_FAST = -n $(shell nproc) --dist loadfile -m "not slow and not client"
CORPUS  := packages/local-ecr/tests/hostile/corpus
EXAMPLE := docs/rulebook/example/ecr-steward.yaml # enforces, for demo and tests; what is deployed is in layers/rulebook
BUILT   := .aws-sam/build/.complete-$(ARCHITECTURE)
SOURCES := template.yaml samconfig.toml $(EXAMPLE) $(shell find functions layers -type f -not -path "*/__pycache__/*")
OURS    := ecr-steward ecr-steward-core ecr-steward-sandbox local-ecr # the workspace's own: installed, never pinned
MEMBERS := layers/core packages/cli packages/sandbox packages/local-ecr
COMPILE := .tools/uv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
           --custom-compile-command "make requirements" $(addprefix --no-emit-package ,$(OURS))

sam-build = ECR_STEWARD_ARCHITECTURE=$(1) sam build --parameter-overrides Architecture=$(1)

##@ Start here
.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

.PHONY: demo
demo: $(BUILT) ## Play a few pushes through the whole house and check them; IMAGE=<oci layout folder> plays yours
	ecr-steward demo --build .aws-sam/build $(if $(IMAGE),--image "$(IMAGE)")

.PHONY: sandbox
sandbox: $(BUILT) ## Run the sandbox in the foreground until Ctrl-C; PORT=<port> fixes its port, RULEBOOK=<file> is yours
	ecr-steward sandbox up --build .aws-sam/build $(if $(PORT),--port $(PORT)) $(if $(RULEBOOK),--rulebook "$(RULEBOOK)")

##@ Check a change
.PHONY: check lint types imports template policies
check: lint types imports template policies ## ruff, mypy --strict, the dependency rule, sam validate --lint, checkov, parliament

lint: $(SETUP)
	ruff check
	ruff format --check

types: $(SETUP)
	mypy layers/core packages/*/*_* packages/local-ecr/benchmarks tools functions benchmarks
	mypy --python-version 3.11 packages/local-ecr/local_ecr

imports: $(SETUP)
	lint-imports

template: $(SETUP)
	sam validate --lint
	sam validate --lint --template spoke.yaml

policies: $(SETUP) .tools/lint/.installed
	python -m template_lint

.PHONY: test
test: $(BUILT) ## The fast tests of what people install (under two minutes); ARGS=... goes to pytest
	$(IN_MEMORY) pytest $(FAST) $(addprefix --ignore=,$(STAGES)) $(ARGS)
	cd packages/local-ecr && $(IN_MEMORY) pytest $(LOCAL_ECR_FAST) $(ARGS)

.PHONY: test-stages
test-stages: $(BUILT) ## The fast tests of what all that is tried on: sandbox, sam local, faults; ARGS=... goes to pytest
	$(IN_MEMORY) pytest $(FAST) $(STAGES) $(ARGS)

.PHONY: test-local-ecr
test-local-ecr: $(SETUP) ## Fast tests of local-ecr on Python 3.13 and, where one is installed, on 3.11; ARGS=... goes to pytest
	cd packages/local-ecr && $(IN_MEMORY) pytest $(LOCAL_ECR_FAST) $(ARGS)
	$(MAKE) --no-print-directory test-local-ecr-3.11

.PHONY: test-all test-together test-alone test-local-ecr-together test-local-ecr-alone test-local-ecr-3.11
test-all: test-together test-alone test-local-ecr-together test-local-ecr-alone test-local-ecr-3.11 ## Every test: also real clients, SAM, Docker and slow properties

test-together: $(BUILT) .tools/c7n/.installed
	pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder -m "not alone" $(ARGS)

test-alone: $(BUILT) .tools/c7n/.installed
	pytest -m alone $(ARGS)

test-local-ecr-together: $(SETUP)
	cd packages/local-ecr && pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder -m "not alone" $(ARGS)

test-local-ecr-alone: $(SETUP)
	cd packages/local-ecr && pytest -m alone $(ARGS)

test-local-ecr-3.11: .tools/uv/.installed
	@if tools/setup/find_python.sh 3.11 > /dev/null; then \
	  $(MAKE) --no-print-directory .tools/py311/.installed; \
	  cd packages/local-ecr && ../../.tools/py311/bin/python -m pytest $(LOCAL_ECR_FAST) $(ARGS); \
	else echo "Python 3.11 is not installed: the tests of local-ecr do not run on it"; fi

.PHONY: sam-local
sam-local: $(BUILT) ## Invoke each function with each of its events by the real `sam local invoke`
	python -m sam_local

.PHONY: bench
bench: $(BUILT) .tools/c7n/.installed ## Measure, beside what each benchmark compares with; fails when a target is missed
	missed=0; for benchmark in benchmarks/*.py packages/local-ecr/benchmarks/{api,half_open,hostile_input,seeding,transfer}.py; do python "$$benchmark" || missed=1; done; exit $$missed

.PHONY: bench-security
bench-security: $(SETUP) ## Lead ecr-steward, skopeo, oras and crane through a hostile registry; fails when ours falls once
	python benchmarks/hostile_registries.py

.PHONY: fuzz
fuzz: $(SETUP) ## Let atheris look for bytes that a reader of local_ecr fails on (x86_64); SECONDS=60 for each, TARGET=<one>
	for target in $(or $(TARGET),$(notdir $(wildcard $(CORPUS)/*))); do mkdir -p .fuzz/$$target; \
	  echo "$$target for $(or $(SECONDS),60) s"; PYTHONPATH=packages/local-ecr python -m tests.hostile.fuzz $$target -verbosity=0 \
	    -max_total_time=$(or $(SECONDS),60) -timeout=10 -artifact_prefix=.fuzz/$$target- .fuzz/$$target $(CORPUS)/$$target; done

.PHONY: mutants pick-mutants
mutants: $(BUILT) ## Plant one-line faults in a copy: a test must fail on each, as one did before; ONLY=<room or id>
	python -m mutants $(if $(ONLY),"$(ONLY)") $(ARGS)

pick-mutants: .tools/mutants/.installed ## Draw faults in place of those whose line is gone; ARGS="--anew --seed 14" draws all
	.tools/mutants/bin/python -m mutants.pick $(ARGS)

.PHONY: compare
compare: $(BUILT) ## Ask local_ecr, moto, CNCF distribution and MINISTACK=<program> the same, and write what they answer into docs/
	PYTHONPATH=packages/local-ecr/benchmarks:tools python -m comparing $(if $(MINISTACK),--ministack $(MINISTACK))

.PHONY: rights
rights: $(BUILT) ## Record anew which rights the roles use, about 15 minutes: tools/rights/calls.json and docs/deploy/rights.md
	rm -rf .rights
	ECR_STEWARD_SANDBOX_RIGHTS=.rights pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder -m "not alone" \
	  tests/sandbox/roles tests/sandbox/demo tests/integration
	python -m rights --record .rights

##@ Build
.PHONY: setup
setup: $(SETUP) ## Environments with pinned, hashed dependencies: .venv, .tools

.PHONY: build
build: $(BUILT) ## sam build for this machine with the example rulebook, as demo, tests and sandbox use it

.PHONY: release
release: $(SETUP) ## All wheels and sdists, and a zip of the built template per architecture, into dist; the same bytes each time
	rm -rf "$(DIST)"
	uv build --quiet --all-packages --out-dir "$(DIST)" --build-constraint requirements/dev.txt --require-hashes
	for architecture in arm64 x86_64; do \
	  mkdir -p .aws-sam; $(call sam-build,$$architecture) --build-dir .aws-sam/release-$$architecture > .aws-sam/release.log 2>&1 \
	    || { cat .aws-sam/release.log; exit 1; }; \
	  python tools/setup/pin_architecture.py .aws-sam/release-$$architecture/template.yaml $$architecture; \
	  python tools/setup/zip_release.py .aws-sam/release-$$architecture "$(DIST)/ecr-steward-$$(cat VERSION)-$$architecture.zip"; done
	cd "$(DIST)" && sha256sum *.whl *.tar.gz *.zip > SHA256SUMS && cat SHA256SUMS

.PHONY: deploy
deploy: $(SETUP) ## Build for Lambda and deploy; asks the first time. ARCHITECTURE=x86_64 instead of arm64, CONFIG_ENV=<of samconfig.toml>
	python tools/setup/deploy.py $(addprefix --architecture ,$(DEPLOYED)) --config-env $(or $(CONFIG_ENV),default) $(ARGS)

.PHONY: deploy-spoke
deploy-spoke: $(SETUP) ## Connect a further account: deploy spoke.yaml with its credentials (docs/accounts.md)
	python tools/setup/deploy.py --template-file spoke.yaml --unnamed ecr-steward-spoke --config-env $(or $(CONFIG_ENV),spoke) $(ARGS)

.PHONY: real-account
real-account: $(SETUP) ## Try on a real account what is believed about AWS: ACCOUNT=<id> REGION=<region> (docs/real-account.md)
	python -m real_account --account "$(ACCOUNT)" --region "$(REGION)" $(ARGS)

.PHONY: requirements
requirements: .tools/uv/.installed ## Pin anew what pyproject.toml and requirements/*.in ask for; ARGS=--upgrade moves the pins
	$(COMPILE) $(ARGS) --python-version 3.13 --group dev -o requirements/dev.txt
	$(COMPILE) --python-version 3.13 -c requirements/dev.txt -o layers/core/requirements.txt layers/core/pyproject.toml
	$(COMPILE) --python-version 3.11 -c requirements/dev.txt --group packages/local-ecr/pyproject.toml:dev \
	  -o requirements/local-ecr.txt packages/local-ecr/pyproject.toml
	for tool in sam awscli uv c7n mutants lint; do \
	  $(COMPILE) $(ARGS) --python-version 3.13 -o requirements/$$tool.txt requirements/$$tool.in; done

.PHONY: clean
clean: ## Remove everything that make has made
	rm -rf .aws-sam .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .fuzz .mutants .rights .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ------------------------------------------------------------------------------------------------ how the above comes about

.tools/uv/.installed: requirements/uv.txt
	tools/setup/install_uv.sh
	touch $@

# Tools whose dependencies contradict ours (SAM pins an older boto3) live in an environment each.
.tools/sam/.installed .tools/awscli/.installed .tools/c7n/.installed .tools/mutants/.installed .tools/lint/.installed: .tools/%/.installed: requirements/%.txt .tools/uv/.installed
	tools/setup/create_environment.sh .tools/$* requirements/$*.txt
	touch $@

# The oldest Python that local-ecr is for.
.tools/py311/.installed: requirements/local-ecr.txt packages/local-ecr/pyproject.toml VERSION .tools/uv/.installed
	tools/setup/create_environment.sh .tools/py311 requirements/local-ecr.txt 3.11
	.tools/uv/bin/uv pip install --quiet --python .tools/py311/bin/python --no-deps --no-build-isolation --editable packages/local-ecr
	touch $@

# The pyproject files and requirements are the reason, the links make `sam`, `aws` and `uv` the pinned ones in every recipe.
$(SETUP): requirements/dev.txt $(addsuffix /pyproject.toml,. $(MEMBERS)) VERSION .tools/sam/.installed .tools/awscli/.installed
	tools/setup/create_environment.sh .venv requirements/dev.txt
	.tools/uv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation $(addprefix --editable ,$(MEMBERS))
	ln -sf ../../.tools/sam/bin/sam ../../.tools/awscli/bin/aws ../../.tools/uv/bin/uv .venv/bin/
	touch $@

# What was built for another architecture must not be taken for this one's: $(BUILT) names it, and SAM empties the folder.
# SAM tells a makefile-built layer nothing of its BuildArchitecture, so the environment does (see layers/core/Makefile).
$(BUILT): $(SETUP) $(SOURCES)
	@echo "Building the Lambda artefacts for $(ARCHITECTURE) ..."
	@mkdir -p .aws-sam
	@ECR_STEWARD_RULEBOOK=$(abspath $(EXAMPLE)) $(call sam-build,$(ARCHITECTURE)) > .aws-sam/build.log 2>&1 || { cat .aws-sam/build.log; exit 1; }
	@touch $@
