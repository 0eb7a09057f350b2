#!/usr/bin/env bash
# Installs what run.sh needs, in exact versions, beside this file: a Python environment from PyPI and one package from npm.
set -euo pipefail
cd "$(dirname "$0")"
marker=.venv/installed
if ! cmp -s requirements.txt "$marker"; then
  python3 -m venv --clear .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.txt
  cp requirements.txt "$marker"
fi
if [ ! -x node_modules/.bin/redocly ] || ! cmp -s package-lock.json node_modules/.installed; then
  npm ci --silent --no-audit --no-fund
  cp package-lock.json node_modules/.installed
fi
