"""``make audit`` never passes for what it could not look up."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "audit.py"
CLEAN_PIP = {"dependencies": [{"name": "a", "version": "1", "vulns": []}]}
CLEAN_NPM = {"vulnerabilities": {}, "metadata": {"dependencies": {"total": 3}}}
HOLE = {"id": "PYSEC-1", "fix_versions": ["2"]}

Audit = Callable[[Any, Any], tuple[int, str]]


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    """Run the audit over programs that answer what they are told to."""

    def run(pip: Any, npm: Any) -> tuple[int, str]:
        given = [
            *("--pip-audit", program("pip-audit", pip, "Path(sys.argv[-1]).write_text(answer)")),
            *("--npm", program("npm", npm, "print(answer)")),
        ]
        done = subprocess.run(  # noqa: S603 - our own script
            [sys.executable, str(SCRIPT), *given], capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    def program(name: str, answer: Any, tells: str) -> str:
        path = tmp_path / name
        path.write_text(
            f"#!{sys.executable}\nimport sys\nfrom pathlib import Path\n"
            f"answer = {json.dumps(answer)!r}\n"
            + (tells if answer is not None else "sys.exit('cannot reach it')")
        )
        path.chmod(0o700)
        return str(path)

    return run


def test_all_that_was_looked_up_and_is_clean_passes(audit: Audit) -> None:
    status, told = audit(CLEAN_PIP, CLEAN_NPM)
    assert status == 0, told
    assert "NOT CHECKED" not in told


def test_a_known_hole_is_named_and_fails(audit: Audit) -> None:
    status, told = audit(
        {"dependencies": [{"name": "a", "version": "1", "vulns": [HOLE]}]}, CLEAN_NPM
    )
    assert status == 1
    assert "a 1: PYSEC-1, mended in 2" in told


@pytest.mark.parametrize(
    ("pip", "npm", "said"),
    [
        (None, CLEAN_NPM, "cannot reach it"),
        # pip-audit calls this "No known vulnerabilities found", and ends with 0
        ({"dependencies": [{"name": "a", "skip_reason": "not found"}]}, CLEAN_NPM, "1 of 1"),
        ({"dependencies": []}, CLEAN_NPM, "no package was looked up"),
        (CLEAN_PIP, None, "cannot reach it"),
        (CLEAN_PIP, {"message": "405 Method Not Allowed", "error": {"summary": ""}}, "405"),
        (CLEAN_PIP, {"vulnerabilities": {}, "metadata": {"dependencies": {"total": 0}}}, "no pack"),
    ],
)
def test_what_could_not_be_looked_up_is_said_and_is_no_pass(
    pip: Any, npm: Any, said: str, audit: Audit
) -> None:
    status, told = audit(pip, npm)
    assert status == 3, told
    assert said in told
    assert "NOT CHECKED" in told
