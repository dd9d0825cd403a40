"""Secrets that can be told by their form, or by the word that stands before them.

Everything here looks at a folded text (``fold``): one width, one kind of blank, nothing invisible,
and for each character where it came from, so that exactly what was typed can be cut out. All
patterns are linear: every repeat is bounded.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from bot.sealing.ordinary_words import is_ordinary
from knowledge_base.text.slots import (
    card_secrets,
    emails,
    order_numbers,
    phones,
    qq_numbers,
)

Span = tuple[int, int, str]
"""(First character, one after the last, kind)."""


@dataclass(frozen=True, slots=True)
class Folded:
    """A text in NFKC, every blank a space, and the place of each character in the original."""

    text: str
    origins: tuple[int, ...]

    def span(self, start: int, end: int, kind: str) -> Span:
        """A stretch of the folded text as one of the original."""
        return self.origins[start], self.origins[end - 1] + 1, kind


@lru_cache(maxsize=4)  # a message is read for several purposes in a row
def fold(text: str) -> Folded:
    """Fold width, blanks and dashes; characters that nobody sees are dropped."""
    parts: list[str] = []
    origins: list[int] = []
    for at, char in enumerate(text):
        part = char
        if not char.isascii():
            part = unicodedata.normalize("NFKC", char)
            if len(part) != 1:  # ﷺ, ½: nothing that anybody types in a code
                part = "□"
            elif unicodedata.category(part) == "Cf":
                continue
            part = _SIGNS.get(part, part)
        parts.append(" " if part.isspace() else part)
        origins.append(at)
    return Folded("".join(parts), tuple(origins))


_SIGNS = {**dict.fromkeys("‐‑‒–—―−﹣－", "-"), "【": "[", "】": "]", "「": '"', "」": '"'}
_EDGE, _END = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"

_PHONE = re.compile(
    r"(?<![A-Za-z0-9.])(?:[+(]{0,2}(?:00)?86[)\- ]{0,3})?"
    r"(?:1[3-9]\d[ .\-()]{1,3}\d{4}[ .\-]{0,3}\d{4}|1[3-9]\d{5}[ .\-]{1,3}\d{4}|1[3-9]\d{9}"
    r"|1 [3-9](?: \d){9})(?!\d)",
    re.ASCII,
)
_SPOKEN_PHONE = re.compile(
    r"(?<![零〇一二三四五六七八九两幺])[一幺1][ ,、-]?[三四五六七八九3-9]"
    r"(?:[ ,、-]?[零〇一二三四五六七八九两幺0-9]){9}(?![零〇一二三四五六七八九两幺0-9])"
)
_HAN_DIGIT = re.compile("[零〇一二三四五六七八九两幺]")
_MAIL_HOST = r"(?:qq|163|126|gmail|outlook|hotmail|foxmail|icloud|yahoo|sina|139|189|live|yeah)"
_LOCAL = r"(?<![A-Za-z0-9._+\-])[A-Za-z0-9][A-Za-z0-9._+\-]{0,63}"
_DOT = r"(?: ?[.。·] ?| ?[(\[{] ?dot ?[)\]}] ?| dot )"
_MAILS = (
    re.compile(
        rf"{_LOCAL} ?(?:@|[(\[{{<] ?(?:at|@|艾特) ?[)\]}}>]) ?[A-Za-z0-9\-]{{1,63}}"
        rf"(?:{_DOT}[A-Za-z]{{2,12}}){{1,3}}{_END}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?:[A-Za-z0-9]{{1,30}} dot )?{_LOCAL} at [A-Za-z0-9\-]{{1,63}}"
        rf"(?: dot [a-z]{{2,12}}){{1,3}}{_END}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"{_LOCAL} ?(?:#|艾特|圈a|\*) ?{_MAIL_HOST}{_DOT}(?:com|cn|net){_END}", re.IGNORECASE
    ),
)
_QQ = re.compile(
    r"(?:QQ|扣扣|扣|企鹅|(?<![A-Za-z])Q)(?:号码|号|號)?(?:[ :=,]|是|为|為|就|叫){0,4}"
    r"([1-9]\d{4,10})(?!\d)",
    re.IGNORECASE | re.ASCII,
)
_BARE_QQ = re.compile(r"(?<![A-Za-z0-9.\-+:/$¥])(?!400|800)[1-9]\d{8,9}(?![A-Za-z0-9.\-:/元块])")
_WECHAT = re.compile(
    r"(?:微信号|微信|威信|薇信|徽信|(?<![A-Za-z])(?:weixin|wechat|wx|vx|wei xin)|[加我的]v)"
    r"(号| ?id)?((?:[ :=,]|是|为|為|叫|is){0,5})([A-Za-z][A-Za-z0-9_\-]{4,19})(?![A-Za-z0-9_])",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(
    r"(?:账号|帐号|賬號|帳號|账户|用户名|昵称|(?<![A-Za-z])(?:account|username|login|uid|id))"
    r"(?:[ :=,]|是|为|為|叫|is|号){0,5}([A-Za-z0-9][A-Za-z0-9_.\-]{4,39})(?![A-Za-z0-9_@])",
    re.IGNORECASE,
)
_ID_CARD = re.compile(
    rf"{_EDGE}[1-8]\d{{5}} ?(?:19|20)\d{{2}} ?\d{{4}} ?\d{{3}}[0-9Xx]{_END}", re.ASCII
)
_NAMED_ID = re.compile(
    r"(?:身份证|身份證|证件|證件)(?:号码|号|號)?(?:[ :=,]|是|为|為){0,4}"
    r"(\d{15}|\d{17}[0-9Xx])(?![0-9Xx])",
    re.ASCII,
)
_BANK = re.compile(
    rf"{_EDGE}(?:62|4\d|5[1-5]|35|9[59])\d{{2}}(?:[ \-]?\d{{4}}){{3}}(?:[ \-]?\d{{1,3}})?{_END}",
    re.ASCII,
)
_NAMED_BANK = re.compile(
    r"(?:[工农中建交招]行|银行|信用卡|储蓄卡|借记卡|bank(?: card)?|credit card|visa|mastercard)"
    r"(?:卡号|卡)?(?:[ :=,]|是|为|為|number){0,4}(\d(?:[ \-]?\d){11,18})(?!\d)",
    re.IGNORECASE | re.ASCII,
)
_CARD_DIGITS = re.compile(
    r"(?:卡|码|碼|密|序列号|key|code|card|number)(?:[ :=,]|是|为|為){0,4}"
    r"(\d(?:[ \-]?\d){9,23})(?!\d)",
    re.IGNORECASE | re.ASCII,
)
_GROUPS = re.compile(
    rf"{_EDGE}[A-Za-z0-9]{{3,8}}(?:[ \-]{{1,3}}[A-Za-z0-9]{{3,8}}){{2,9}}{_END}", re.ASCII
)
_PIECE = re.compile(
    r"(?<![A-Za-z0-9\-])-?(?=[A-Za-z0-9\-]{0,13}\d)(?=[0-9\-]{0,13}[A-Za-z])"
    r"[A-Za-z0-9]{4,6}-[A-Za-z0-9]{4,6}-?(?![A-Za-z0-9\-])",
    re.ASCII,
)
_SPELT = re.compile(rf"{_EDGE}(?:[A-Za-z0-9][ \-]){{9,39}}[A-Za-z0-9]{_END}", re.ASCII)
_ORDER_WORD = re.compile(
    r"(?:[订定訂工][单單]号?|退款[单單]|[单單][号號]|交易号?|流水号?|编号"
    r"|order(?: ?(?:no\.?|number|id))?|#)[ :：=是为,]{0,4}$",
    re.IGNORECASE,
)
_COUPON_WORD = re.compile(
    r"(?:优惠|優惠|折扣|邀请|邀請|推荐|代金|promo|coupon|discount|voucher|invite|referral)"
    r"[^\s，。,.]{0,3} ?(?:code|码|碼|券)?[ :：=是为]{0,4}$",
    re.IGNORECASE,
)
_ERROR_WORD = re.compile(
    r"(?:错误|錯誤|报错|報錯|error|err|fault)"
    r"(?: ?(?:代码|代碼|码|碼|code|no\.?))?[ :：=是为]{0,4}$",
    re.IGNORECASE,
)
_MISTYPED = re.compile(r"(?<![A-Za-z0-9])DD[0-9A-Za-z]{17,24}(?![A-Za-z0-9])", re.IGNORECASE)
"""One of our numbers with a character too many or too few."""
_LOOK_BACK = 24
_LEAST_CODED_DIGITS = 3
_LEAST_GROUPS = 3
_FIRST_WORD = re.compile(r"([A-Za-z]{1,12}) +")
_LAST_WORD = re.compile(r" +([A-Za-z]{1,12})$")
_LUHN_OVER = 9


def order_spans(text: str) -> list[tuple[int, int]]:
    """Order numbers: agents work with them, so they stay readable."""
    return [
        *((found.start(), found.end()) for found in _MISTYPED.finditer(text)),
        *(
            (number.start, number.end)
            for number in order_numbers(text)
            if number.kind == "ours" or is_called_order(text, number.start)
        ),
    ]


def is_called_order(text: str, at: int) -> bool:
    """Tell whether what starts here is called an order number."""
    return _ORDER_WORD.search(text[max(0, at - _LOOK_BACK) : at]) is not None


def is_called_harmless(text: str, at: int) -> bool:
    """Tell whether what starts here is called a coupon, an error code or an order number."""
    before = text[max(0, at - _LOOK_BACK) : at]
    return any(word.search(before) for word in (_ORDER_WORD, _COUPON_WORD, _ERROR_WORD))


def contacts(folded: Folded, text: str) -> Iterator[Span]:
    """Phones, mails, QQ and WeChat in any spelling, ID and bank cards."""
    for reader, kind in ((emails, "email"), (phones, "phone"), (qq_numbers, "qq")):
        yield from ((contact.start, contact.end, kind) for contact in reader(text))
    for pattern in _MAILS:
        yield from _all(folded, pattern, "email")
    yield from _all(folded, _PHONE, "phone")
    yield from _all(
        folded, _SPOKEN_PHONE, "phone", is_so=lambda said: bool(_HAN_DIGIT.search(said))
    )
    yield from _all(folded, _QQ, "qq", group=1)
    yield from _all(folded, _ID_CARD, "id", is_so=_is_id_card)
    yield from _all(folded, _NAMED_ID, "id", group=1)
    yield from _all(folded, _NAMED_BANK, "bank", group=1)
    yield from _all(folded, _BANK, "bank", is_so=_is_bank_card)
    for match in _BARE_QQ.finditer(folded.text):
        if not is_called_harmless(folded.text, match.start()):
            yield folded.span(*match.span(), "qq")
    for match in _WECHAT.finditer(folded.text):
        is_named = bool(match[1]) or any(sign in match[2] for sign in ":=是为叫")
        if is_named or re.search(r"[0-9_\-]", match[3]):
            yield folded.span(*match.span(3), "wechat")
    for match in _ACCOUNT.finditer(folded.text):
        if re.search(r"[0-9_]", match[1]) and not is_called_harmless(folded.text, match.start(1)):
            yield folded.span(*match.span(1), "account")


def cards(folded: Folded, text: str) -> Iterator[Span]:
    """Card keys: in groups, spelt out, broken over lines, and what is called one."""
    for secret in card_secrets(text):
        shown = text[secret.start : secret.end]
        digits = sum(char.isdigit() for char in shown)
        if secret.kind == "solid" and (digits < _LEAST_CODED_DIGITS or is_ordinary(shown)):
            continue  # premium12m, office2021
        if secret.kind == "spoken" and _has_words(shown):
            continue  # "code after 30 min"
        if not is_called_harmless(text, secret.start):
            yield secret.start, secret.end, "card"
    yield from _all(folded, _CARD_DIGITS, "card", group=1)
    for match in _GROUPS.finditer(folded.text):
        start, end = _without_words(match)
        if _is_grouped_card(folded.text[start:end]):
            yield folded.span(start, end, "card")
    yield from _all(folded, _PIECE, "card")
    yield from _all(folded, _SPELT, "card", is_so=_is_spelt_card)


def _all(
    folded: Folded,
    pattern: re.Pattern[str],
    kind: str,
    group: int = 0,
    is_so: Callable[[str], bool] = lambda _said: True,
) -> Iterator[Span]:
    for match in pattern.finditer(folded.text):
        if is_so(match[group]):
            yield folded.span(*match.span(group), kind)


def _has_words(said: str) -> bool:
    return any(is_ordinary(word) for word in said.split() if not word.isdigit())


def _without_words(match: re.Match[str]) -> tuple[int, int]:
    """Find where groups start and end, without the words that merely stand beside them."""
    start, end = match.span()
    first, last = _FIRST_WORD.match(match[0]), _LAST_WORD.search(match[0])
    while first is not None and is_ordinary(first[1]):
        start += first.end()
        first = _FIRST_WORD.match(match.string[start:end])
    while last is not None and is_ordinary(last[1]):
        end -= len(last[0])
        last = _LAST_WORD.search(match.string[start:end])
    return start, end


def _is_grouped_card(said: str) -> bool:
    """Tell whether groups look like code: most have digits, or several, all of one length.

    Where no dash holds them together only the latter counts: "steam 100 xbox 200" is none.
    """
    groups = re.split(r"[ \-]+", said)
    if len(groups) < _LEAST_GROUPS or not any(char.isalpha() for char in said):
        return False
    coded = sum(any(char.isdigit() for char in group) for group in groups)
    is_even = len({len(group) for group in groups}) == 1 and len(groups[0]) > _LEAST_GROUPS
    return (is_even and coded > 1) or ("-" in said and coded * 2 >= len(groups))


def _is_spelt_card(said: str) -> bool:
    return any(char.isdigit() for char in said) and any(char.isalpha() for char in said)


def _is_id_card(said: str) -> bool:
    """Tell whether the birthday is a day and the check symbol is right.

    Source: GB 11643-1999, ISO 7064:1983 MOD 11-2.
    """
    compact = said.replace(" ", "").upper()
    try:
        date(int(compact[6:10]), int(compact[10:12]), int(compact[12:14]))
    except ValueError:
        return False
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(weight * int(digit) for weight, digit in zip(weights, compact, strict=False))
    return "10X98765432"[total % 11] == compact[17]


def _is_bank_card(said: str) -> bool:
    """Tell whether a number lies in UnionPay's own range, or passes the Luhn check.

    Source: ISO/IEC 7812-1:2017, annex B.
    """
    digits = [int(char) for char in said if char.isdigit()]
    if digits[:2] == [6, 2]:
        return True
    doubled = [
        digit if at % 2 == 0 else digit * 2 - (_LUHN_OVER if digit * 2 > _LUHN_OVER else 0)
        for at, digit in enumerate(reversed(digits))
    ]
    return sum(doubled) % 10 == 0
