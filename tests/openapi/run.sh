#!/usr/bin/env bash
# Checks the interface of a running control plane against its own document: run.sh BASE_URL ADMIN_TOKEN.
# The document must be valid and lint clean, a client must be generated from it, and requests made up from it (valid ones and
# invalid ones, as each role) must be answered as it says. Bounded: schemathesis.toml has the number of requests, MINUTES_MAX the time.
set -euo pipefail
base=$1 admin=$2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=$here/.venv/bin
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true SCHEMATHESIS_COVERAGE=false NO_COLOR=1
cd "$work"

step() { printf '== %s\n' "$*"; }
field() { "$python/python" -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
post() { curl -sSf -H 'content-type: application/json' -H "authorization: Bearer ${3-}" -d "$2" "$base$1"; }

step "download the document"
curl -sSf "$base/openapi.json" -o openapi.json

step "openapi-spec-validator"
"$python/openapi-spec-validator" openapi.json

step "redocly lint"
"$here/node_modules/.bin/redocly" lint --config "$here/redocly.yaml" openapi.json

step "openapi-python-client generate"
PATH=$python:$PATH "$python/openapi-python-client" generate --path openapi.json --meta none --output-path client --fail-on-warning
"$python/python" -m compileall -q client

restaurant=$(post /v1/restaurants '{"name":"Grill","lat":35.9,"lng":14.5,"menu":[{"name":"Pizza","price_minor":900}]}' "$admin" | field token)
customer=$(post /v1/customers '{"name":"Ada"}' | field token)
# What the document does not allow has to be refused. What it allows may be refused too, since JSON Schema cannot say what a
# combining mark is: which text is taken is checked by tests of the control plane.
for role in admin restaurant customer; do
  step "schemathesis as $role"
  timeout "${MINUTES_MAX:-4}m" "$python/schemathesis" --config-file "$here/schemathesis.toml" run openapi.json --url "$base" \
    --header "Authorization: Bearer ${!role}" --seed 1 \
    --exclude-checks positive_data_acceptance
done
