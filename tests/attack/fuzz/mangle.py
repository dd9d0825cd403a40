"""Real payloads made wrong: any value of theirs can become anything."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**31, 2**63, 10**400, 1e308, -0.5),
    *("", " ", "\0", "\ud800", "\u202e", "好" * 5000, "1" * 5000, "[CQ:at,qq=all]", "{{ 7*7 }}"),
    *([], {}, [None], [[[[[]]]]], {"": ""}, [{}], {"a": {"b": []}}),
)
_MOST = 6


class Chooser(Protocol):
    """Where a fuzzer's bytes become decisions."""

    def ConsumeIntInRange(self, low: int, high: int) -> int:  # noqa: N802 - atheris's name
        """A number of this range."""
        ...

    def ConsumeUnicode(self, count: int) -> str:  # noqa: N802 - atheris's name
        """A text of so many characters, surrogates included."""
        ...


def samples(folder: str) -> tuple[Any, ...]:
    """Every payload of a folder of fixtures; a list of payloads counts as many."""
    found: list[Any] = []
    for path in sorted((FIXTURES / folder).glob("*.json")):
        payload = json.loads(path.read_text(encoding="utf-8"))
        found += payload if isinstance(payload, list) else [payload]
    return tuple(found)


def mangled(chooser: Chooser, payloads: Sequence[Any]) -> Any:
    """One of the payloads with a few of its values replaced, removed or moved."""
    payload = copy.deepcopy(payloads[chooser.ConsumeIntInRange(0, len(payloads) - 1)])
    for _ in range(chooser.ConsumeIntInRange(0, _MOST)):
        places = list(_places(payload))
        if not places:
            return payload
        holder, key = places[chooser.ConsumeIntInRange(0, len(places) - 1)]
        match chooser.ConsumeIntInRange(0, 3):
            case 0:
                del holder[key]
            case 1:
                holder[key] = chooser.ConsumeUnicode(40)
            case 2:
                other, name = places[chooser.ConsumeIntInRange(0, len(places) - 1)]
                holder[key] = copy.deepcopy(other[name])
            case _:
                holder[key] = copy.deepcopy(ODD[chooser.ConsumeIntInRange(0, len(ODD) - 1)])
    return payload


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a payload, as (holder, key)."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield node, key
            yield from _places(value)
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield node, number
            yield from _places(value)
