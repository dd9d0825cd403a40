#!/bin/sh
# Every attack and every fuzzer at full length; their table goes into docs/security.md.
# $1: seconds of each attack, $2: seconds of each fuzzer, the rest: attacks by name (all).
set -eu
attack_s=$1 fuzz_s=$2
shift 2
status=0
.venv/bin/python -m tests.attack --seconds "$attack_s" --json .pytest_cache/attack.json --docs docs/security.md "$@" || status=1
KEFU_TEST_FUZZ_SECONDS=$fuzz_s .venv/bin/pytest -q -n "${KEFU_TEST_WORKERS:-auto}" tests/attack/test_fuzz.py || status=1
exit $status
