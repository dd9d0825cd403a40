#!/bin/sh
# A Node that can build the front end: the machine's own if it is new enough, else a wheel's.
set -eu
if node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' 2>/dev/null \
    && npm --version >/dev/null 2>&1; then
    exit 0
fi
echo "No Node.js 20 or newer found; installing one into .venv …"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: \
    --require-hashes -r requirements/node.lock
.venv/bin/node --version >/dev/null
