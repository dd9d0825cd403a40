"""Where a request comes from proves nothing: behind a proxy of our own everybody is 127.0.0.1."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PRODUCT = ("bot", "connectors", "handoff", "knowledge_base", "shop", "storage")
ASKED = {"remote", "is_loopback", "peername"}
MAY_ASK = {
    "bot/app/http/network.py": "counts by it, and lets the demo's owner off its limits",
    "bot/app/http/connections.py": "counts connections by it",
    "connectors/media/download.py": "looks at whom we have called, not at who calls us",
}


def asking(source: str) -> Iterator[str]:
    """Names by which code learns an address, as attributes or as texts."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in ASKED:
            yield node.attr
        if isinstance(node, ast.Constant) and node.value in ASKED:
            yield str(node.value)


@pytest.mark.parametrize("folder", PRODUCT)
def test_no_code_but_what_counts_asks_where_a_request_comes_from(folder: str) -> None:
    found = {
        str(path.relative_to(ROOT)): set(asking(path.read_text(encoding="utf-8")))
        for path in (ROOT / folder).rglob("*.py")
    }
    assert len(found) > 5
    assert {path for path, names in found.items() if names} <= set(MAY_ASK)


def test_the_check_sees_what_was_wrong_once() -> None:
    assert list(asking('if request.remote not in {"127.0.0.1", "::1"}: pass')) == ["remote"]
    assert list(asking('transport.get_extra_info("peername")')) == ["peername"]
