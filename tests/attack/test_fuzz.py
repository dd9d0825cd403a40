"""Everything that reads what strangers wrote, fuzzed for a while; ``make attack`` does it longer.

A finding is printed in base64; what it was goes into a test of its own (``test_findings.py``).
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
from pathlib import Path

import pytest

SECONDS = int(os.environ.get("KEFU_TEST_FUZZ_SECONDS", "20"))
TARGETS = (
    *("texts", "secrets", "payloads", "cq_strings", "envelopes"),
    *("console", "page_frames", "requests", "knowledge"),
)

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None,
    reason="NOT FUZZED: atheris is there for Python < 3.14 on 64-bit x86 Linux alone",
)


@pytest.mark.parametrize("target", TARGETS)
async def test_whatever_a_stranger_writes_is_read_or_refused(target: str, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.attack.fuzz", target, "--seconds", str(SECONDS)),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    lines = told.decode(errors="replace").splitlines()
    assert process.returncode == 0, "\n".join(lines[-25:])
    runs = [line for line in lines if line.startswith("stat::number_of_executed_units")]
    assert runs
    assert int(runs[0].split()[-1]) > SECONDS, "it hardly ran"
