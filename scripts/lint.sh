#!/bin/sh
# Style, types and layers; each line is one tool, the first failure ends it.
set -eu
.venv/bin/ruff format --check --quiet .
.venv/bin/ruff check --quiet .
.venv/bin/mypy --no-error-summary
.venv/bin/lint-imports --no-cache >/dev/null || .venv/bin/lint-imports --no-cache
.venv/bin/codespell .
sh scripts/console_types.sh --check
npm --prefix web run --silent lint
npm --prefix web run --silent typecheck
echo "lint: clean"
