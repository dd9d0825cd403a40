"""Ask for known vulnerabilities of everything that is locked, and say what could not be asked.

``pip-audit`` ends with 0 and "No known vulnerabilities found" where its source answered nothing
at all (each package is "skipped" then), and ``npm audit`` writes the refusal where its findings
belong; so both are read from their JSON, and what was not looked up counts as not checked.

Exit status: 0 all was checked and nothing found · 1 something was found · 3 nothing was found, but
something was not checked.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WITHIN_S = 300
FOUND, NOT_CHECKED = 1, 3


@dataclass(frozen=True)
class Audit:
    """What one source said of one list of packages.

    Attributes:
        found: A line for each known vulnerability.
        unchecked: Why something was not looked up; empty where all was.
    """

    what: str
    source: str
    packages: int = 0
    found: tuple[str, ...] = ()
    unchecked: str = ""

    def __str__(self) -> str:
        if self.unchecked:
            told = f"NOT CHECKED: {self.what}: {self.source}: {self.unchecked}"
        else:
            told = f"checked: {self.what}: {self.packages} packages, {len(self.found)} known holes"
        return "\n".join([told, *(f"  {line}" for line in self.found)])


def of_lock(lock: Path, program: str) -> Audit:
    """Audit a pip lock file by ``pip-audit``."""
    nothing = Audit(lock.name, "PyPI's advisories")
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        command = [program, "--disable-pip", "--require-hashes", "--progress-spinner", "off"]
        command += ["-r", str(lock), "-f", "json", "-o", str(answer)]
        trouble = _run(command)[1]
        try:
            packages = json.loads(answer.read_text())["dependencies"]
        except (OSError, ValueError, KeyError):
            return _unchecked(nothing, f"no answer ({trouble or 'it said nothing'})")
    found = tuple(
        f"{package['name']} {package['version']}: {hole['id']}, mended in "
        + (", ".join(hole.get("fix_versions", ())) or "no version")
        for package in packages
        for hole in package.get("vulns", ())
    )
    skipped = [package for package in packages if "skip_reason" in package]
    if not packages:
        return _unchecked(nothing, "no package was looked up")
    if skipped:
        why = skipped[0]["skip_reason"]
        told = f"{len(skipped)} of {len(packages)} packages were not looked up ({why})"
        return Audit(lock.name, nothing.source, len(packages), found, told)
    return Audit(lock.name, nothing.source, len(packages), found)


def of_web(web: Path, program: str) -> Audit:
    """Audit ``package-lock.json`` by ``npm audit``."""
    nothing = Audit("web/package-lock.json", "npm's advisories")
    out, trouble = _run([program, "--prefix", str(web), "audit", "--json"])
    try:
        answer = json.loads(out)
    except ValueError:
        return _unchecked(nothing, f"no answer ({trouble or 'it said nothing'})")
    if "vulnerabilities" not in answer or "metadata" not in answer:
        why = answer.get("message") or answer.get("error", {}).get("summary") or trouble
        return _unchecked(nothing, f"no answer ({why})")
    found = tuple(
        f"{name}: {hole['severity']}, {hole['range']}"
        for name, hole in answer["vulnerabilities"].items()
    )
    count = answer["metadata"]["dependencies"]["total"]
    if not count:
        return _unchecked(nothing, "no package was looked up")
    return Audit(nothing.what, nothing.source, count, found)


def _unchecked(audit: Audit, why: str) -> Audit:
    return Audit(audit.what, audit.source, unchecked=why)


def _run(command: list[str]) -> tuple[str, str]:
    """What a program wrote, and the last line of its complaints."""
    try:
        done = subprocess.run(  # noqa: S603 - the programs that the Makefile names
            command, capture_output=True, text=True, timeout=WITHIN_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return "", f"{type(error).__name__}: {error}"
    complaints = done.stderr.strip().splitlines()
    return done.stdout, complaints[-1] if complaints else ""


def main() -> int:
    """Audit all locks; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pip-audit", default=str(ROOT / ".venv/.audit/bin/pip-audit"))
    parser.add_argument("--npm", default="npm")
    arguments = parser.parse_args()
    audits = [
        *(of_lock(one, arguments.pip_audit) for one in sorted(ROOT.glob("requirements/*.lock"))),
        of_web(ROOT / "web", arguments.npm),
    ]
    for audit in audits:
        print(audit)
    if any(audit.found for audit in audits):
        return FOUND
    unchecked = sum(bool(audit.unchecked) for audit in audits)
    if unchecked:
        print(f"audit: {unchecked} of {len(audits)} lists were NOT checked: this is no pass")
        return NOT_CHECKED
    print("audit: everything was checked, nothing is known")
    return 0


if __name__ == "__main__":
    sys.exit(main())
