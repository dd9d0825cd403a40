#!/bin/sh
# A Node that can build the front end: the machine's own if it is new enough, else a wheel's.
set -eu
if node -e '
    const [major, minor] = process.versions.node.split(".").map(Number)
    const isNewEnough = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major >= 24
    process.exit(isNewEnough ? 0 : 1)' 2>/dev/null \
    && npm --version >/dev/null 2>&1; then
    exit 0
fi
echo "No Node.js 20.19, 22.12 or newer found; installing one into .venv …"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: \
    --require-hashes -r requirements/node.lock
.venv/bin/node --version >/dev/null
