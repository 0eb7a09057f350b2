# `make demo` and `make test` are the contract; the rest is convenience.
# Everything goes through cargo; nothing beside Rust is needed for `make demo`.

CARGO ?= cargo
DEMO_ARGS ?=
# The map of Malta comes with a crate that is fetched but never built; what runs without it says so.
FETCH_MAP = -$(CARGO) fetch --locked --quiet --manifest-path maps/default-map/Cargo.toml

# How long `make fuzz` feeds each target, and which.
AREA_SECONDS ?= 600
FUZZ_TARGETS ?= extract archive http

.PHONY: help demo test test-full check fmt docs audit bench-routing bench-matching fuzz

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

demo: ## build in release and run a whole city in one process until Ctrl-C
	$(FETCH_MAP)
	$(CARGO) build --release --locked --bin doorstep
	$(CARGO) run --release --locked --quiet --bin doorstep -- demo $(DEMO_ARGS)

test: ## run the whole suite; says what is missing for the parts that need PostgreSQL, NATS, Node or Chromium
	$(FETCH_MAP)
	$(CARGO) test --workspace --locked

check: ## type-check and lint all of it, fast
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

fmt: ## format
	$(CARGO) fmt --all

docs: ## build the API documentation, warnings denied
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked

audit: ## licences, advisories and unused dependencies (needs cargo-deny and cargo-machete)
	$(CARGO) deny check
	$(CARGO) machete

test-full: ## every answer of the router against Dijkstra's algorithm: 10,000 pairs a map, profile and metric
	$(FETCH_MAP)
	DOORSTEP_FULL=1 $(CARGO) test --release --locked -p doorstep-maps --test exactness

bench-routing: ## the road router beside its peers; writes docs/performance.md (needs a C++ compiler; docs/performance.md says what else)
	$(CARGO) build --release --locked --bin doorstep
	$(CARGO) run --release --locked --manifest-path benches/peers/Cargo.toml -- $(BENCH_PARTS)

bench-matching: ## the matching's solvers beside their peers; writes docs/performance.md, which says how the peers are installed
	$(CARGO) run --release --locked --manifest-path benches/matching/Cargo.toml -- $(BENCH_PARTS)

fuzz: ## feed the readers of outside bytes for AREA_SECONDS each (needs nightly Rust and cargo-fuzz)
	cd fuzz && $(CARGO) +nightly run --release --locked --bin seeds
	cd fuzz && for target in $(FUZZ_TARGETS); do \
	  $(CARGO) +nightly fuzz run $$target -- -max_total_time=$(AREA_SECONDS) -rss_limit_mb=4096 -timeout=20 -max_len=65536 || exit 1; done
