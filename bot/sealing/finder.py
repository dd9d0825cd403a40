"""Finder of what must not be stored in the clear: by form, by name, by what was asked before.

A query password looks like any word. What gives it away is its place: after 密码, beside one of our
order numbers, alone in a message, or as the answer to "send me the password". What is overlooked
here is sealed later, when the gate takes it as a proof (``bot.sealing.resealing``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import IntEnum
from functools import lru_cache

from bot.dialogue.memory import MEMORY_KEY, ORDER_NUMBER, Memory
from bot.sealing.forms import (
    Folded,
    Span,
    cards,
    contacts,
    fold,
    is_called_harmless,
    order_spans,
)
from bot.sealing.ordinary_words import is_ordinary
from bot.sealing.spans import merged, touches
from handoff.model.conversation import Conversation

MASK = "••••"


class Context(IntEnum):
    """Likelihood, from the conversation, that a bare code is a secret."""

    NONE = 0
    NEAR = 1
    """One of our orders is spoken of."""
    ASKED = 2
    """A secret was asked for: a proof, a card."""


_NEAR_TURNS = 3
_TOKEN = re.compile(r"[^\s\x80-\U0010ffff,;/|=()\[\]{}<>\"]+")
"""A word of printable ASCII; what parts a code from its neighbours is none of it."""
_LINK = re.compile(r"(?:https?://|www\.)[^\s\u4e00-\u9fff]+", re.IGNORECASE)
_WRAPPING = "':?"
_TRAILING = _WRAPPING + "."
_DIGITS = re.compile(r"\d{4,20}")
_UNIT = re.compile(
    r" ?(?:元|块|塊|张|張|个|個|点|點|号下午|分|小时|天|次|年|月|折|rmb|cny|usd|\$)", re.IGNORECASE
)
_YEAR = re.compile(r"(?:19|20)\d\d")

_NAME = re.compile(
    r"(?:查询密码|查詢密碼|取卡密码|提货密码|密码|密碼|口令|暗号|查询码|查詢碼|提取码|取货码"
    r"|验证码|驗證碼|校验码|动态码"
    r"|(?<![A-Za-z])(?:mi ?ma|mm|psw|pwd|pw|passwd|pass ?word|passcode|passphrase|pass|pin|code"
    r"|otp)(?![A-Za-z]))",
    re.IGNORECASE,
)
_SOLD_PASS = re.compile(r"(?:game|season|battle|xbox|ps|通行) ?$", re.IGNORECASE)
_SAYS = re.compile(
    r"(?:[ :=,\"'(]|是|为|為|就|应该|應該|is|was|are|it|should|be|my|[-=]>)*", re.IGNORECASE
)
_IS = re.compile(r"[:=]|是|为|為|(?<![a-z])(?:is|was|be)(?![a-z])", re.IGNORECASE)
_GAP = re.compile(r"[\u4e00-\u9fff ,，:：]{0,14}")
_SHORTEST_NAMED, _SHORTEST_CODE, _SHORTEST_ALONE = 3, 5, 6
_LONGEST = 64
_LOOK_BACK = 12
_CODE_DIGITS = 6
_SHORT_ANSWER = 16
_PARTICLES = frozenset("是的吧吗呢哦嗯啊好这个对试看了我就应该大写小谢请帮查下急")
_DIGITS_ALONE = 2
_ANSWERED = re.compile(r"(?:是|为|叫|(?<![a-z])(?:it ?'?s|is)|:) ?$", re.IGNORECASE)


def find_secrets(text: str, conversation: Conversation) -> Sequence[Span]:
    """Find the secrets in a customer's text, in order: (start, end, kind)."""
    return secrets_in(text, context_of(conversation))


def context_of(conversation: Conversation) -> Context:
    """Return how likely a bare code is a secret in this conversation now."""
    memory = Memory.from_json(conversation.memory.get(MEMORY_KEY, {}))
    if memory.pending is not None and memory.pending.is_secret:
        return Context.ASKED
    return Context.NEAR if memory.is_near(ORDER_NUMBER, _NEAR_TURNS) else Context.NONE


def secrets_in(text: str, context: Context = Context.NONE) -> Sequence[Span]:
    """Secrets in a text that anybody wrote, in order, none inside another."""
    if not text.strip():
        return []
    orders = merged(order_spans(text))
    if orders:
        context = max(context, Context.NEAR)
    folded = fold(text)
    spans = [*_by_form(text), *_by_place(folded, context, orders)]
    kept: list[Span] = []
    for start, end, kind in sorted(spans, key=lambda span: (span[0], -span[1])):
        if touches(orders, start, end):
            continue
        if kept and start < kept[-1][1]:
            if end > kept[-1][1]:  # two readings of one value: all of it goes
                kept[-1] = (kept[-1][0], end, kept[-1][2])
            continue
        kept.append((start, end, kind))
    return kept


@lru_cache(maxsize=4)
def _by_form(text: str) -> tuple[Span, ...]:
    """Find what is a secret whatever was said before; the first reading of a value names it."""
    folded = fold(text)
    return (*_named(folded), *contacts(folded, text), *cards(folded, text))


def masked(text: str) -> str:
    """A name or a title without the secrets in it, where nothing can be revealed later."""
    if is_ordinary(text):  # IMG_20261130.jpg
        return text
    parts, end_of_last = [], 0
    for start, end, _ in secrets_in(text):
        parts += [text[end_of_last:start], MASK]
        end_of_last = end
    return "".join([*parts, text[end_of_last:]])


# ---------------------------------------------------------------------- by name


def _named(folded: Folded) -> Iterator[Span]:
    """Find what stands after 密码, mima or "password is"."""
    text = folded.text
    for name in _NAME.finditer(text):
        if name[0].lower() == "pass" and _SOLD_PASS.search(_before(text, name.start())):
            continue
        if is_called_harmless(text, name.end()) or is_called_harmless(text, name.start()):
            continue
        says = _SAYS.match(text, name.end())
        at = says.end() if says is not None else name.end()
        token = _TOKEN.match(text, at)
        if token is not None:
            is_told = _IS.search(text, name.end(), at) is not None or not name[0].isascii()
            span = _trimmed(*token.span(), text)
            if _is_named_secret(text[span[0] : span[1]], is_told=is_told):
                yield folded.span(*span, "password")
                continue
        gap = _GAP.match(text, name.end())
        token = _TOKEN.match(text, gap.end()) if gap is not None else None
        if token is not None:
            span = _trimmed(*token.span(), text)
            word = text[span[0] : span[1]]
            is_number = _DIGITS.fullmatch(word) and _ANSWERED.search(_before(text, token.start()))
            if _is_coded(word) or is_number:
                yield folded.span(*span, "password")


def _is_named_secret(token: str, *, is_told: bool) -> bool:
    """Tell whether a word after 密码 or "password" is one: "password doesn't work" has none."""
    if len(token) < _SHORTEST_NAMED:
        return False
    has_digit = any(char.isdigit() for char in token)
    if is_told and has_digit:
        return True  # hello2024: somebody says that it is one
    if is_ordinary(token):
        return False
    return has_digit or (is_told and any(char.isalpha() for char in token))


# ---------------------------------------------------------------------- by place


def _by_place(
    folded: Folded, context: Context, orders: Sequence[tuple[int, int]]
) -> Iterator[Span]:
    """Bare codes: beside an order number, as an answer, or alone in a message."""
    text = folded.text
    links = [found.span() for found in _LINK.finditer(text)]
    is_named = _NAME.search(text) is not None
    tokens = [
        _trimmed(*found.span(), text)
        for found in _TOKEN.finditer(text)
        if not touches(links, found.start(), found.start() + 1)
    ]
    mine = [span for span in tokens if span[0] < span[1] and not _is_order(folded, span, orders)]
    is_alone = len(mine) == 1 and _is_all(text, mine[0])
    for start, end in mine:
        if not _SHORTEST_NAMED <= end - start <= _LONGEST:
            continue
        is_likely = _is_secret_here(
            text, (start, end), context, is_alone=is_alone, is_named=is_named
        )
        if is_likely and not _UNIT.match(text, end) and not is_called_harmless(text, start):
            yield folded.span(start, end, "proof" if context is Context.ASKED else "password")


def _is_secret_here(
    text: str, span: tuple[int, int], context: Context, *, is_alone: bool, is_named: bool
) -> bool:
    token = text[span[0] : span[1]]
    if _is_coded(token):
        if context > Context.NONE or is_named:
            return True
        digits = sum(char.isdigit() for char in token)
        return is_alone and len(token) >= _SHORTEST_ALONE and digits >= _DIGITS_ALONE
    is_answer = is_alone or _ANSWERED.search(_before(text, span[0])) is not None
    if _DIGITS.fullmatch(token):
        if context is Context.ASKED:
            return is_answer or is_named or len(token) == _CODE_DIGITS
        return context is Context.NEAR and is_alone and _YEAR.fullmatch(token) is None
    if context is not Context.ASKED or is_ordinary(token) or len(token) < _SHORTEST_NAMED:
        return False
    is_last = span[0] <= _SHORT_ANSWER and not text[span[1] :].strip(" .!?~")
    return any(char.isalpha() for char in token) and (is_alone or (is_answer and is_last))


def _is_coded(token: str) -> bool:
    """Tell whether a word mixes letters and digits, and is no product, size or error's number."""
    has_letter = any(char.isalpha() for char in token)
    has_digit = any(char.isdigit() for char in token)
    return has_letter and has_digit and len(token) >= _SHORTEST_CODE and not is_ordinary(token)


def _is_order(folded: Folded, span: tuple[int, int], orders: Sequence[tuple[int, int]]) -> bool:
    start, end, _ = folded.span(*span, "")
    return touches(orders, start, end)


def _is_all(text: str, span: tuple[int, int]) -> bool:
    """Tell whether a word is all there is, but for a polite particle or two."""
    rest = f"{text[: span[0]]}{text[span[1] :]}"
    return all(char in _PARTICLES or not char.isalnum() for char in rest)


def _before(text: str, at: int) -> str:
    """The few characters in front of a place."""
    return text[max(0, at - _LOOK_BACK) : at]


def _trimmed(start: int, end: int, text: str) -> tuple[int, int]:
    """A word without the brackets and commas round it."""
    while start < end and text[start] in _WRAPPING:
        start += 1
    while start < end and text[end - 1] in _TRAILING:
        end -= 1
    return start, end
