# `make demo` and `make test` are the contract; the rest is convenience.
# Everything goes through cargo; nothing beside Rust is needed for `make demo`.

CARGO ?= cargo
DEMO_ARGS ?=
# The map of Malta comes with a crate that is fetched but never built; what runs without it says so.
FETCH_MAP = -$(CARGO) fetch --locked --quiet --manifest-path maps/default-map/Cargo.toml

# Which commit or tag `make test-full` upgrades from: the newest tag, else the parent.
UPGRADE_FROM ?= $(shell git describe --tags --abbrev=0 2>/dev/null || echo HEAD~1)

# The folder that `make fixtures` writes: the version and the month.
FIXTURES ?= $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)-$(shell date +%Y-%m)

# How long `make soak` runs.
SOAK_SECONDS ?= 600

# How long `make fuzz` feeds each target, and which.
AREA_SECONDS ?= 600
FUZZ_TARGETS ?= extract archive http driver state

.PHONY: help demo test test-full check fmt docs audit dist fixtures bench-routing bench-matching bench-dispatch bench-micro fuzz soak

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

audit: ## licences, banned crates, unused dependencies; advisories where cargo-deny and its database are at hand
	$(CARGO) test --locked -p doorstep-tidy dependencies
	@if ! $(CARGO) deny --version >/dev/null 2>&1; then \
	  echo "audit: advisories were not looked at: no cargo-deny (cargo install cargo-deny --locked)"; \
	elif [ -z "$$(ls -A "$${CARGO_HOME:-$$HOME/.cargo}"/advisory-dbs 2>/dev/null)" ] && ! $(CARGO) deny fetch db >/dev/null 2>&1; then \
	  echo "audit: advisories were not looked at: no database and no way to https://github.com/RustSec/advisory-db"; \
	else \
	  $(CARGO) deny check advisories; \
	fi

dist: ## an archive for operators: binary, completions, manual pages, systemd units, settings, checksums; in target/dist
	$(CARGO) build --release --locked --bin doorstep
	deploy/dist.sh target/release/doorstep target/dist

fixtures: ## what this version leaves behind, for the upgrade tests of later ones: tests/fixtures/upgrade/FIXTURES (needs PostgreSQL, sqlite3)
	DOORSTEP_FIXTURES=$(CURDIR)/tests/fixtures/upgrade/$(FIXTURES) DOORSTEP_REQUIRE_ALL=1 \
	  $(CARGO) test --locked --test e2e upgrade::this_version_opens_what_it_writes -- --nocapture

test-full: ## every answer of the router against Dijkstra's algorithm, ten thousand idle clients, 200 kills of dispatch, an upgrade from the parent commit with two binaries
	$(FETCH_MAP)
	DOORSTEP_FULL=1 $(CARGO) test --release --locked -p doorstep-maps --test exactness
	DOORSTEP_FULL=1 $(CARGO) test --locked -p doorstep --test e2e connections_that_rest
	DOORSTEP_FULL=1 $(CARGO) test --locked -p doorstep --test e2e journal::a_killed -- --nocapture
	$(CARGO) build --locked --bin doorstep
	tests/upgrade.sh $(UPGRADE_FROM) $${CARGO_TARGET_DIR:-target}/debug/doorstep

soak: ## ten minutes of offers over a network that delays, loses, doubles and moves
	DOORSTEP_SOAK_SECONDS=$(SOAK_SECONDS) $(CARGO) test --release --locked -p doorstep-dispatch-server --test serve soak -- --nocapture

bench-routing: ## the road router beside its peers; writes docs/performance.md (needs a C++ compiler; docs/performance.md says what else)
	$(CARGO) build --release --locked --bin doorstep
	$(CARGO) run --release --locked --manifest-path benches/peers/Cargo.toml -- $(BENCH_PARTS)

bench-matching: ## the matching's solvers beside their peers; writes docs/performance.md, which says how the peers are installed
	$(CARGO) run --release --locked --manifest-path benches/matching/Cargo.toml -- $(BENCH_PARTS)

bench-dispatch: ## the dispatch service beside its peers; writes docs/performance.md, which says what they need
	$(CARGO) run --release --locked --manifest-path benches/dispatch/Cargo.toml -- $(BENCH_PARTS)

bench-micro: ## single steps of the engine, by criterion; writes docs/performance.md
	cd benches/micro && $(CARGO) bench --locked && $(CARGO) run --release --locked --quiet --bin publish

fuzz: ## feed the readers of outside bytes for AREA_SECONDS each (needs nightly Rust and cargo-fuzz)
	cd fuzz && $(CARGO) +nightly run --release --locked --bin seeds
	cd fuzz && for target in $(FUZZ_TARGETS); do \
	  $(CARGO) +nightly fuzz run $$target -- -max_total_time=$(AREA_SECONDS) -rss_limit_mb=4096 -timeout=20 -max_len=65536 || exit 1; done
