"""Quotes: the text that a customer's message answers, kept beside it with its secrets sealed.

A quote is not the customer's own words. Agents see it; recognition does not; tools may read an
order number or a card in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from handoff.desk.append import sealed
from handoff.model.conversation import Conversation
from handoff.model.ports import Sealer, Work
from handoff.model.transcript import SecretRef

MAX_CHARS = 500
_LINES_BACK = 40
_SHORTEST_SECRET = 4
_VALUE = re.compile(r"[0-9A-Za-z@._+\-]{1,80}\Z")


def sealed_quote(
    work: Work, conversation: Conversation, quoted: str, find: Sealer
) -> tuple[str, tuple[SecretRef, ...]]:
    """Put placeholders in place of the secrets in a quote.

    What was sealed in this conversation is known by its value, whatever form it has and although a
    platform gives back a part of a line: our own message with the card comes back in the clear.

    Returns:
        The text to store, and what its placeholders stand for.
    """
    quoted = cut(quoted)
    if not quoted.strip():
        return "", ()
    parts: list[str | SecretRef] = [quoted]
    for value, ref in _known(work, conversation):
        if len(quoted.strip()) >= _SHORTEST_SECRET and quoted.strip() in value:
            parts = [ref]  # a part of it, marked by the customer
            break
        parts = [piece for part in parts for piece in _cut(part, value, ref)]
    texts: list[str] = []
    refs: dict[str, SecretRef] = {}
    for part in parts:
        if isinstance(part, SecretRef):
            texts.append("{{secret:" + part.id + "}}")
            refs[part.id] = part
        else:
            text, found = sealed(work.secrets, conversation.id, part, find)
            texts.append(text)
            refs |= {ref.id: ref for ref in found}
    return "".join(texts), tuple(refs.values())


def cut(quoted: str) -> str:
    """Return as much of a quote as is kept; half a value goes with the rest."""
    kept = quoted[:MAX_CHARS]
    is_within = len(quoted) > MAX_CHARS and _VALUE.search(quoted[MAX_CHARS]) is not None
    return _VALUE.sub("", kept) if is_within else kept


def _known(work: Work, conversation: Conversation) -> Sequence[tuple[str, SecretRef]]:
    """Values sealed lately, the longest first: one may hold another."""
    lines = work.messages.before(conversation.id, conversation.last_seq + 1, _LINES_BACK)
    refs = {ref.id: ref for line in lines for ref in line.secrets}
    values = work.secrets.values(list(refs)) if refs else {}
    known = [(one, refs[key]) for key, one in values.items() if len(one) >= _SHORTEST_SECRET]
    return sorted(known, key=lambda pair: -len(pair[0]))


def _cut(part: str | SecretRef, value: str, ref: SecretRef) -> list[str | SecretRef]:
    if isinstance(part, SecretRef):
        return [part]
    cut: list[str | SecretRef] = []
    for piece in part.split(value):
        cut += [ref, piece] if cut else [piece]
    return cut


__all__ = ["MAX_CHARS", "cut", "sealed_quote"]
