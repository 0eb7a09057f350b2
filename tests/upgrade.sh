#!/usr/bin/env bash
# Builds the binary of an earlier commit and lets this tree's binary go on with what that one left: a demo on one folder, first with the old
# binary, then with the new one. `make test-full` calls it with the parent commit; needs git history.
#
#   tests/upgrade.sh COMMIT NEW_BINARY
set -euo pipefail
commit=$1
new=$(realpath "$2")
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'git worktree remove --force "$work/old" 2>/dev/null || true; rm -rf "$work"' EXIT

git worktree add --quiet --detach "$work/old" "$commit"
echo "upgrade: building $(git -C "$work/old" log -1 --format='%h %s')"
# In the folder of this tree's dependencies, so that only what differs is built; the binary of this tree is not touched.
cp "$new" "$work/new"
CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}/upgrade" cargo build --quiet --locked --bin doorstep --manifest-path "$work/old/Cargo.toml"
old="${CARGO_TARGET_DIR:-$PWD/target}/upgrade/debug/doorstep"

"$old" map generate --seed 7 --nodes 500 -o "$work/town.osm.pbf" >/dev/null
"$old" map import "$work/town.osm.pbf" -o "$work/town.road" >/dev/null
live() {
  "$1" demo --map "$work/town.road" --data "$work/data" --drivers 8 --orders-per-hour 60 --speedup 60 --for 20s \
    --headless --json --listen 127.0.0.1:0
}
echo "upgrade: a city on the old binary, then on the new one"
live "$old" >"$work/old.json"
live "$work/new" >"$work/new.json"
# The demo itself fails when an order is lost or the ledger is off balance; the road archive and the journal were read as they are.
grep -q '"lost": 0' "$work/new.json" || grep -q '"lost":0' "$work/new.json"
echo "upgrade: the new binary went on where the old one stopped"
