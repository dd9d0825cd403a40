#!/bin/sh
# Everything: lint, the front end's tests, then pytest, real browser included.
set -eu
sh scripts/lint.sh
npm --prefix web run --silent test
sh scripts/chromium.sh || true
.venv/bin/pytest -q -n "${KEFU_TEST_WORKERS:-auto}" "$@"
