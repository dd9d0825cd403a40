#!/bin/sh
# Write the console's types from the API's route table; with --check, fail where they are stale.
set -eu
types=web/src/console/api/types.ts
document=$(mktemp)
trap 'rm -f "$document" "$document.log"' EXIT
.venv/bin/python -m scripts.openapi --schemas > "$document"
web/node_modules/.bin/openapi-typescript "$document" --output "$types" \
  --root-types --root-types-no-schema-prefix "$@" > "$document.log" 2>&1 || {
  cat "$document.log" >&2
  echo "$types is stale or cannot be written: run sh scripts/console_types.sh" >&2
  exit 1
}
