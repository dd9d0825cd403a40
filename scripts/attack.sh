#!/bin/sh
# Every attack at full length, and the table of it in docs/security.md. $1: seconds each.
set -eu
nice -n 0 .venv/bin/python -m tests.attack --seconds "$1" --json .pytest_cache/attack.json --docs docs/security.md
