# Every recipe is a line that anyone can run by hand; `make -n test` prints them. Run `make` for help.

# Absolute, because tests run in their own package's directory.
CARGO_TARGET_DIR ?= target
override CARGO_TARGET_DIR := $(abspath $(CARGO_TARGET_DIR))
export CARGO_TARGET_DIR

# What a target hands on: `make test ARGS=hot_swap`, `make up ARGS='--gateway 127.0.0.1:9000'`.
ARGS ?=
# How many cases each target of `make fuzz` tries.
CASES ?= 20000

COMPTOIR   := $(CARGO_TARGET_DIR)/release/comptoir
COMPOSE    := docker compose --project-directory compose
COMPONENTS ?= $(CARGO_TARGET_DIR)/wasm32-wasip2/component
SERVICES   := products inventory reports sales customers orders cart checkout

# For the wasm target, with the profile that the components ship with.
GUEST := --profile component --target wasm32-wasip2

# The linters of `make lint`, installed on first use; one line each to change a version.
TOOLS      := $(HOME)/.cache/comptoir/tools
CARGO_DENY := $(TOOLS)/cargo-deny@0.20.2/bin/cargo-deny
TYPOS      := $(TOOLS)/typos-cli@1.52.0/bin/typos

# What `load` does: smoke, load, stress, spike, soak or breakpoint. SCENARIO=purchases,carts chooses; k6/main.js lists them.
WORKLOAD ?= smoke

.PHONY: help up test soak screenshots fuzz lint bench load load-compare images compose-up compose-down test-compose components \
  fixtures host clean wasm-target postgres prometheus chromium
.NOTPARALLEL: # cargo uses every core by itself
.DEFAULT_GOAL := help

help: ## Show this list
	@echo 'Comptoir: a retail platform of WebAssembly components. Start with `make up`.'
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo 'ARGS="..." is handed on by up, test, bench, load and compose-*:  make test ARGS=hot_swap'
	@echo 'Needs Rust (rustup); brings the wasm32-wasip2 target, PostgreSQL, Prometheus, Chromium and k6 itself where they are missing.'
	@echo 'Builds into $(CARGO_TARGET_DIR); CARGO_TARGET_DIR changes that.'

up: components host | postgres ## Run the whole platform on this machine; the gateway listens on :8000
	$(COMPTOIR) up --components $(COMPONENTS) $(ARGS)

test: components fixtures host | postgres prometheus chromium ## Run every test, on a private PostgreSQL that is thrown away
	$(COMPTOIR) postgres -- cargo test --release --workspace $(ARGS)

# SOAK_SECONDS=3600 has it go on for an hour.
soak: fixtures host | postgres ## Swaps, aborts and load for ten minutes; then every gauge is back
	$(COMPTOIR) postgres -- cargo test --release --workspace -- --ignored --exact --nocapture soak::soak

# As files in $(CARGO_TARGET_DIR)/screenshots: every page, in both languages, wide and narrow, light and dark.
screenshots: components host | postgres chromium ## Take pictures of every page, to be looked at
	$(COMPTOIR) postgres -- cargo test --release --workspace -- --ignored --exact --nocapture browser::screenshots::screenshots

# Clippy has the profiles of the builds, so that macros and build scripts are compiled once.
lint: $(CARGO_DENY) $(TYPOS) | wasm-target ## Check format, lints, licences, spelling, vendored WIT
	cargo fmt --all --check
	.tools/check-wit
	$(TYPOS)
	$(CARGO_DENY) check --hide-inclusion-graph bans licenses sources
	cargo clippy --release --workspace --all-targets -- -D warnings
	cargo clippy $(GUEST) -p comptoir-sdk $(SERVICES:%=-p comptoir-%) -p comptoir-fixtures --lib --examples -- -D warnings

fuzz: components fixtures host | postgres ## Try many more damaged components, messages and values than `test` does
	PROPTEST_CASES=$(CASES) $(COMPTOIR) postgres -- cargo test --release --workspace $(ARGS) fuzz::

# What is measured is what ships; the twins are built the same way.
bench: components host | postgres ## Measure requests through the host against a native twin
	$(COMPTOIR) postgres -- cargo bench --profile dist --workspace --bench requests $(ARGS)

# Of a platform that runs: `make up`, or compose. GATEWAY, KEYS and the rest are in k6/lib/config.js.
load: ## Load the platform that runs, and check its books: WORKLOAD=load SCENARIO=purchases
	WORKLOAD=$(WORKLOAD) COMPONENTS=$(COMPONENTS) k6/run $(ARGS)

# Where k6/run leaves its numbers.
comma := ,
LOADED = $(CARGO_TARGET_DIR)/k6/$(WORKLOAD)$(if $(SCENARIO),-$(subst $(comma),+,$(SCENARIO))).json

# MAX_RATIO=1.5 has it fail where a route is half as slow again, the others being as they were.
load-compare: ## Print what the last `load` measured beside k6/baseline.json
	"$$(.tools/k6)" run --quiet --address '' -e RESULT=$(abspath $(or $(RESULT),$(LOADED))) k6/compare.js

# RUST_IMAGE names another image to build in; compose/compose.yaml has the other images.
images: ## Build a host's image, and the components into compose/components, where they are swapped in
	compose/images

# Where the images of Kong and Grafana cannot be had: COMPOSE_PROFILES=gateway make compose-up
compose-up: ## Run the whole platform in containers; the gateway listens on :8000
	compose/prepare
	$(COMPOSE) up --detach --wait --wait-timeout 600 $(ARGS)

# Whichever profiles it was started with.
compose-down: ## Stop and remove the containers; their data stays, unless ARGS=--volumes
	$(COMPOSE) --profile '*' down $(ARGS)

test-compose: ## Try the containers on an engine, which it brings if there is none: half an hour, then seven minutes
	compose/test

components: | wasm-target ## Build the services, one .wasm each
	cargo build $(GUEST) $(SERVICES:%=-p comptoir-%)

fixtures: | wasm-target # the guests that only tests load
	cargo build $(GUEST) -p comptoir-fixtures --examples

# The whole workspace, because cargo chooses features by what is built together: with the host alone,
# `test` would compile wasmtime a second time.
host: # the program that runs them
	cargo build --release --workspace --bins

clean: ## Remove what was built
	cargo clean

wasm-target:
	@.tools/wasm-target

postgres:
	@.tools/postgres

# For the tests of what browsers show.
chromium:
	@.tools/chromium

# For the tests of observability/: dashboards and rules are asked of a real one.
prometheus:
	@.tools/prometheus

# Unoptimized: faster to build than they could ever win back.
$(CARGO_DENY) $(TYPOS): root = $(patsubst %/bin/,%,$(dir $@))
$(CARGO_DENY) $(TYPOS):
	CARGO_TARGET_DIR=$(TOOLS)/target cargo install --debug --locked --root $(root) $(notdir $(root))
