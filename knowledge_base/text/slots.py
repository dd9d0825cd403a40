"""Readers of what customers mention: order numbers, card secrets, phones, mails, amounts.

All are pure, take any text, and say where in the *original* text a value stands, so that a
secret can be cut out of a message before it is stored. They fold what customers do to such
values: full-width digits, spaces and dashes inside, O for 0 and I or l for 1 where a shop's
alphabet has no such letters.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Found:
    """A value in a text.

    Attributes:
        value: Folded, as the shop stores it.
        start: First character in the original text.
        end: One after the last.
        kind: Which format, where a reader knows several.
    """

    value: str
    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class _Folded:
    """NFKC and upper case, and for each of its characters where it came from."""

    text: str
    origins: tuple[int, ...]
    original: str

    def found(self, match: re.Match[str], value: str, kind: str, group: int = 0) -> Found:
        start, end = match.span(group)
        last = self.origins[end - 1]
        stop = last + 1
        # One original character can fold to several (㍿): the span covers it whole.
        return Found(value, self.origins[start], stop, kind)


# Alphabet of our own numbers: Crockford's base 32, which has no I, L, O, U.
_OURS = re.compile(r"(?<![A-Z0-9])DD(?:[ \-_.]{0,2}[0-9A-Z]){20}(?![A-Z0-9])")
_DUJIAOKA = re.compile(r"(?<![A-Z0-9])(?=[A-Z]*\d)(?=\d*[A-Z])[A-Z0-9]{16}(?![A-Z0-9])", re.ASCII)
_EIGHTEEN = re.compile(r"(?<![A-Z0-9])\d(?:[ \-]?\d){17}(?![A-Z0-9])", re.ASCII)
_NUMBERED = re.compile(
    r"(?:订单号?|定单号?|訂單號?|单号|單號|编号|編號|ORDER(?: ?(?:NO|NUMBER|ID))?|#)"
    r"(?:[ .:#,]|是|为|為){0,4}([A-Z]{0,4}\d(?:[\-]?[A-Z0-9]){3,30})(?![A-Z0-9])",
    re.ASCII,
)
_LONG_NUMBER = re.compile(r"(?<![A-Z0-9])(?:[A-Z]{1,3}\d{9,32}|\d{14,32})(?![A-Z0-9])", re.ASCII)
_GROUPED_SECRET = re.compile(
    r"(?<![A-Z0-9])[A-Z0-9]{3,8}(?: ?- ?[A-Z0-9]{3,8}){2,9}(?![A-Z0-9]|-[A-Z0-9])"
)
_SPACED_SECRET = re.compile(r"(?<![A-Z0-9])[A-Z0-9]{4,6}(?: [A-Z0-9]{4,6}){2,7}(?![A-Z0-9])")
_SOLID_SECRET = re.compile(
    r"(?<![A-Z0-9])(?=[A-Z]*\d)(?=\d*[A-Z])[A-Z0-9]{10,40}(?![A-Z0-9])", re.ASCII
)
_SPOKEN_SECRET = re.compile(
    r"(?:卡密|卡蜜|卡秘|卡号|卡號|密码|密碼|序号|序號|兑换码|兌換碼|激活码|激活碼|CDK(?:EY)?|CODE|KEY|KM)"
    r"(?:[ :=,]|是|为|為){0,4}([A-Z0-9](?:[ \-]?[A-Z0-9]){5,40})(?![A-Z0-9])"
)
_PHONE = re.compile(r"(?<![A-Z0-9])(?:\+? ?86[ \-]?)?(1[3-9](?:[ \-]?[0-9O]){9})(?![A-Z0-9])")
_EMAIL = re.compile(
    r"(?<![A-Z0-9._%+\-])[A-Z0-9][A-Z0-9._%+\-]{0,63}@(?:[A-Z0-9\-]{1,63}\.){1,4}[A-Z]{2,24}(?![A-Z0-9])"
)
_QQ = re.compile(
    r"(?:QQ号?码?|QQ號?碼?|扣扣号?|企鹅号?|Q号)(?:[ :=]|是|为|為){0,4}([1-9]\d{4,10})(?![A-Z0-9])",
    re.ASCII,
)
_AMOUNT = re.compile(
    r"(?:[¥￥$]|RMB|CNY|USD) ?(\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d{1,7}(?:\.\d{1,2})?)(?![\dA-Z.])"
    r"|(?<![\dA-Z.])(\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d{1,7}(?:\.\d{1,2})?) ?"
    r"(?:元|块|塊|圆|RMB|CNY|USD|刀|美元|美金|蚊)",
    re.ASCII,
)
# Chinese characters and punctuation: no value is written in these.
_NOTHING_TO_READ = re.compile(
    r"[\u4e00-\u9fff\u3001-\u3003\u3008-\u3011\s，。！？；：、“”‘’（）,.!?;:~…-]*"
)
_BASE32_FOLD = str.maketrans("OIL", "011")
_OUR_ALPHABET = frozenset("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
_WORDLESS = re.compile(r"[ \-_.]")


@lru_cache(maxsize=8)
def order_numbers(text: str) -> tuple[Found, ...]:
    """Order numbers of any shop system that we know, in the order of the text.

    >>> [(found.value, found.kind) for found in order_numbers("单号20261103998877665，快点")]
    [('20261103998877665', 'other')]

    Returns:
        ``kind`` is "ours" (``DD`` and 20 symbols, without dashes), "dujiaoka" (16 letters and
        digits), "acg_faka" (18 digits) or "other" (long numbers, and short ones that are called
        an order number). Where two readings overlap, the first in this order stays.
    """
    folded = _fold(text)
    readings = (
        *_all(folded, _OURS, "ours", _our_number),
        *_all(folded, _EIGHTEEN, "acg_faka", _compact),
        *_all(folded, _DUJIAOKA, "dujiaoka", _compact),
        *_all(folded, _LONG_NUMBER, "other", _compact),
        *_all(folded, _NUMBERED, "other", _compact, group=1),
    )
    return _without_overlaps(readings)


@lru_cache(maxsize=8)
def card_secrets(text: str) -> tuple[Found, ...]:
    """Find what may be a card secret, upper case, with its dashes and without spaces.

    Any text can be a card secret, so this is a guess: codes in groups, codes of letters and
    digits, and what is called a 卡密. Order numbers of ours, phones and emails are left out.
    ``kind`` is "grouped", "solid" or "spoken".
    """
    folded = _fold(text)
    taken = (
        *_all(folded, _OURS, "order", _our_number),
        *_all(folded, _EMAIL, "email", _compact),
    )
    readings = (
        *taken,
        *_all(folded, _SPOKEN_SECRET, "spoken", _secret, group=1),
        *_all(folded, _GROUPED_SECRET, "grouped", _secret),
        *_all(folded, _SPACED_SECRET, "grouped", _coded_secret),
        *_all(folded, _SOLID_SECRET, "solid", _secret),
    )
    found = _without_overlaps(readings)
    return tuple(reading for reading in found if reading.kind not in ("order", "email"))


def phones(text: str) -> tuple[Found, ...]:
    """Chinese mobile numbers, 11 digits without the country code."""
    return _without_overlaps(_all(_fold(text), _PHONE, "cn", _digits, group=1))


def emails(text: str) -> tuple[Found, ...]:
    """Mail addresses, lower case."""
    return _without_overlaps(_all(_fold(text), _EMAIL, "email", str.lower))


def qq_numbers(text: str) -> tuple[Found, ...]:
    """QQ numbers that are called so: 5-11 digits."""
    return _without_overlaps(_all(_fold(text), _QQ, "qq", _compact, group=1))


def amounts(text: str) -> tuple[Found, ...]:
    """Sums of money: digits with an optional point (``"1234.50"``).

    ``kind`` is "usd" where dollars are named, else "cny".
    """
    folded = _fold(text)
    return _without_overlaps(
        folded.found(
            match,
            (match[1] or match[2]).replace(",", ""),
            "usd" if re.search(r"\$|USD|刀|美", match[0]) else "cny",
        )
        for match in _AMOUNT.finditer(folded.text)
    )


@lru_cache(maxsize=8)  # the readers of one message follow each other
def _fold(text: str) -> _Folded:
    if _NOTHING_TO_READ.fullmatch(text):
        return _Folded("", (), text)
    parts: list[str] = []
    origins: list[int] = []
    end_of_last = 0
    for odd in _ODD.finditer(text):
        # nearly all of most texts is taken over as it stands, a stretch at a time
        at = odd.start()
        parts.append(text[end_of_last:at].upper())
        origins.extend(range(end_of_last, at))
        part = _folded_char(odd[0])
        parts.append(part)
        origins.extend([at] * len(part))
        end_of_last = odd.end()
    parts.append(text[end_of_last:].upper())
    origins.extend(range(end_of_last, len(text)))
    return _Folded("".join(parts), tuple(origins), text)


@lru_cache(maxsize=4096)
def _folded_char(char: str) -> str:
    # characters that nobody sees are dropped; any kind of blank is one space
    if char.isspace():
        return " "
    if unicodedata.category(char) == "Cf":
        return ""
    part = unicodedata.normalize("NFKC", char)
    # no value is written in what stands for whole words (ﷺ is 18 characters): it is a gap
    return " " if len(part) > _LONGEST_FOLD else _DASHES.get(part, part).upper()


_ODD = re.compile(r"[^\x20-\x7e\u4e00-\u9fff]")
"""Anything whose folding is more than upper case."""
_LONGEST_FOLD = 4
_DASHES = dict.fromkeys("‐‑‒–—―−﹣－", "-")


def _all(
    folded: _Folded,
    pattern: re.Pattern[str],
    kind: str,
    read: Callable[[str], str | None],
    group: int = 0,
) -> Iterator[Found]:
    for match in pattern.finditer(folded.text):
        value = read(match[group])
        if value:
            yield folded.found(match, value, kind, group)


def _without_overlaps(readings: Iterable[Found]) -> tuple[Found, ...]:
    """Keep, of readings that overlap, the one that comes first; in the order of the text."""
    kept: list[Found] = []
    starts: list[int] = []
    for reading in readings:
        # what is kept does not overlap, so only the neighbours can be in the way
        place = bisect_left(starts, reading.start)
        is_free = (place == 0 or kept[place - 1].end <= reading.start) and (
            place == len(kept) or reading.end <= kept[place].start
        )
        if is_free:
            kept.insert(place, reading)
            starts.insert(place, reading.start)
    return tuple(kept)


def _compact(text: str) -> str:
    return _WORDLESS.sub("", text) if "@" not in text else text


def _digits(text: str) -> str:
    return _WORDLESS.sub("", text).replace("O", "0")


def _our_number(text: str) -> str | None:
    symbols = _WORDLESS.sub("", text)[2:].translate(_BASE32_FOLD)
    return "DD" + symbols if set(symbols) <= _OUR_ALPHABET else None


def _secret(text: str) -> str | None:
    """Return a code, or ``None`` for words: without a digit ``STEAM-GIFT-CARD`` is none."""
    value = re.sub(r" ?- ?", "-", text).replace(" ", "")
    return value if any(char.isdigit() for char in value) else None


def _coded_secret(text: str) -> str | None:
    """Join groups apart by spaces; ``None`` unless half have digits, or English would match."""
    groups = text.split()
    coded = sum(any(char.isdigit() for char in group) for group in groups)
    return "".join(groups) if coded * 2 >= len(groups) else None
