# `make demo` and `make test` are the contract; the rest is convenience.
# Everything goes through cargo; nothing beside Rust is needed for `make demo`.

CARGO ?= cargo
DEMO_ARGS ?=
# The map of Malta comes with a crate that is fetched but never built; what runs without it says so.
FETCH_MAP = -$(CARGO) fetch --locked --quiet --manifest-path maps/default-map/Cargo.toml

.PHONY: help demo test check lint fmt docs audit bench-routing screenshots

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

bench-routing: ## the road router beside plain Dijkstra; writes docs/performance.md
	$(CARGO) bench --locked --bench routing
