"""Sealing what proved to be a secret: everywhere it was said before, in one piece or in several.

A query password that looked like a word is one as soon as the gate takes it. Then this
conversation's lines are gone through once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.dialogue.memory import Memory
from bot.sealing.forms import fold
from connectors.messages import MessageId
from handoff.desk.append import sealed
from handoff.model.conversation import Conversation
from handoff.model.live_events import LiveEventKind
from handoff.model.ports import Work
from handoff.model.transcript import PLACEHOLDER, Author, Message

LINES_LOOKED_AT = 1000
"""The newest of a conversation; a password that was typed earlier is not in anybody's view."""
SEALED = -1
_PAGE = 200
_SHORTEST_INSIDE = 3
"""A shorter value would be found in words that have nothing to do with it."""


@dataclass(frozen=True, slots=True)
class _Letter:
    """A letter or digit of a line, folded, and where it stands in the line's stored text.

    Attributes:
        at: ``SEALED`` where it stands in no text any more.
        is_apart: Something that is no letter stands before it.
    """

    char: str
    line: int
    at: int
    is_apart: bool


def reseal(
    work: Work,
    conversation: Conversation,
    values: Sequence[str],
    at: datetime,
    memory: Memory,
) -> Memory:
    """Seal values wherever a line of the conversation shows them; the memory without them."""
    folded = dict.fromkeys(map(_folded, values))
    wanted = [value for value in folded if len(value) >= _SHORTEST_INSIDE]
    if not wanted:
        return memory
    lines = list(_lines(work, conversation))
    refs = [ref.id for line in lines for ref in line.secrets]
    known = work.secrets.values(refs) if refs else {}
    found: dict[int, set[int]] = {}
    for group in _groups(lines):
        letters = [letter for number in group for letter in _letters(lines[number], number, known)]
        for value in wanted:
            for letter in _matched(letters, value):
                if letter.at != SEALED:
                    found.setdefault(letter.line, set()).add(letter.at)
    for number, places in sorted(found.items()):
        _seal_in(work, lines[number], places, at)
    for line in lines:
        if line.quoted and any(value in _folded(line.quoted) for value in wanted):
            _seal_quote(work, line.id, at)
    said = _folded(memory.last_question)
    return replace(memory, last_question="") if any(value in said for value in wanted) else memory


def _lines(work: Work, conversation: Conversation) -> Iterator[Message]:
    """The newest lines, ascending."""
    pages: list[Sequence[Message]] = []
    before = conversation.last_seq + 1
    for _ in range(LINES_LOOKED_AT // _PAGE):
        page = work.messages.before(conversation.id, before, _PAGE)
        pages.append(page)
        if len(page) < _PAGE:
            break
        before = page[0].seq
    for page in reversed(pages):
        yield from page


def _groups(lines: Sequence[Message]) -> Iterator[Sequence[int]]:
    """Group the lines read in one go: the customer's together, every other line alone."""
    yield [number for number, line in enumerate(lines) if line.author is Author.CUSTOMER]
    for number, line in enumerate(lines):
        if line.author is not Author.CUSTOMER:
            yield [number]


def _letters(line: Message, number: int, values: Mapping[str, str]) -> Iterator[_Letter]:
    """A line's letters; of what is sealed already they only help to find what stands beside it."""
    end_of_last = 0
    for found in PLACEHOLDER.finditer(line.text):
        yield from _spelt(line.text[end_of_last : found.start()], number, end_of_last)
        for letter in _spelt(values.get(found[1], ""), number, 0):
            yield replace(letter, at=SEALED)
        end_of_last = found.end()
    yield from _spelt(line.text[end_of_last:], number, end_of_last)


def _spelt(text: str, number: int, offset: int) -> Iterator[_Letter]:
    folded = fold(text)
    is_apart = True
    for char, at in zip(folded.text, folded.origins, strict=True):
        for small in char.casefold():
            if small.isalnum():
                yield _Letter(small, number, offset + at, is_apart)
                is_apart = False
            else:
                is_apart = True


def _matched(letters: Sequence[_Letter], value: str) -> Iterator[_Letter]:
    """The letters of every place where the value stands as a whole word, or a row of words."""
    stream = "".join(letter.char for letter in letters)
    at = stream.find(value)
    while at >= 0:
        end = at + len(value)
        starts = _is_edge(letters, at)
        ends = end == len(letters) or _is_edge(letters, end)
        if starts and ends:
            yield from letters[at:end]
        at = stream.find(value, at + 1)


def _is_edge(letters: Sequence[_Letter], at: int) -> bool:
    """Tell whether a word ends here: Chinese has no blanks between its words."""
    here, before = letters[at], letters[at - 1] if at else None
    if before is None or here.is_apart or before.line != here.line:
        return True
    return here.char.isascii() != before.char.isascii() or not here.char.isascii()


def _seal_in(work: Work, line: Message, places: set[int], at: datetime) -> None:
    spans = list(_runs(line.text, places))
    text, fresh = sealed(work.secrets, line.conversation_id, line.text, lambda _text: spans)
    work.messages.retext(line.id, text, (*line.secrets, *fresh))
    work.live_events.add(
        LiveEventKind.MESSAGE_CHANGED, line.conversation_id, at, message_id=line.id
    )


def _seal_quote(work: Work, message_id: MessageId, at: datetime) -> None:
    """Seal the whole of what a line answers: nobody needs the words around it."""
    line = work.messages.get(message_id)
    if line is None:
        return
    ref = work.secrets.seal(line.conversation_id, line.quoted, "proof")
    work.messages.requote(line.id, "{{secret:" + ref.id + "}}", (*line.secrets, ref))
    work.live_events.add(
        LiveEventKind.MESSAGE_CHANGED, line.conversation_id, at, message_id=line.id
    )


def _runs(text: str, places: set[int]) -> Iterator[tuple[int, int, str]]:
    """Stretches of neighbouring places, with what stands between the parts of one value."""
    start = end = -1
    for place in sorted(places):
        between = text[end:place] if start >= 0 else ""
        if start >= 0 and not any(char.isalnum() for char in between) and "{" not in between:
            end = place + 1
            continue
        if start >= 0:
            yield start, end, "proof"
        start, end = place, place + 1
    if start >= 0:
        yield start, end, "proof"


def _folded(text: str) -> str:
    return "".join(char for char in fold(text).text.casefold() if char.isalnum())
