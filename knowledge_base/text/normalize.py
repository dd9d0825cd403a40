"""One spelling for what customers spell in many ways."""

import re
import unicodedata
from collections.abc import Callable, Collection, Sequence

from opencc import OpenCC

from knowledge_base.text.masks import masked

MAX_CHARS = 1200
"""More than recognition ever asks about; what is longer is cut before it is folded and after."""
_PASSES = 6
# Zero-width and control characters that chat programs and copying leave behind; lone surrogates
# cannot be encoded and would stop OpenCC.
_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff\ud800-\udfff]"
)
Normalize = Callable[[str], str]
"""A text in its one spelling."""
_LATIN_EDGE = r"a-z0-9"


class Normalizer:
    """Folds width, case, script, space, numbers and the shop's synonyms. Thread-safe, immutable.

    >>> Normalizer([("卡密", "cdk", "卡蜜")]).normalize("  我的ＣＤＫ 沒收到 ")
    '我的卡密 没收到'
    """

    def __init__(self, synonyms: Sequence[Sequence[str]] = ()) -> None:
        """Prepare for a shop's words.

        Args:
            synonyms: Groups; all words of a group become its first one.
        """
        self._to_simplified = OpenCC("t2s")
        heads: dict[str, str] = {}
        for group in synonyms:
            words = [self._fold(word) for word in group]
            # The head stands for itself, so that 充值卡密 does not become 充值充值卡密.
            for word in words:
                if word:
                    heads.setdefault(word, words[0])
        self._heads = heads
        self._synonyms = any_of(heads)

    def normalize(self, text: str) -> str:
        """The one spelling of a text's first 1,200 characters. Any Unicode is accepted.

        Doing it twice changes nothing.
        """
        folded = now = self._fold(text)
        for _ in range(_PASSES):
            before = now
            now = masked(before)
            if self._synonyms is not None:
                now = self._synonyms.sub(lambda match: self._heads[match[0]], now)
            if now == before:
                return now
            now = self._fold(now)
        # Groups that feed each other never settle: then none of them is used, which is stable.
        return folded

    def _fold(self, text: str) -> str:
        # NFKC makes up to 18 characters of one (ﷺ), so it is cut on both sides of it
        start = now = _visible(unicodedata.normalize("NFKC", text[:MAX_CHARS]))
        for _ in range(_PASSES):
            before = now
            # casefold() can undo NFKC, and OpenCC's phrases can make new ones: hence the loop.
            now = unicodedata.normalize("NFKC", now).casefold()
            now = self._to_simplified.convert(unicodedata.normalize("NFKC", now))
            now = _visible(now)
            if now == before:
                return now
        return start


def _visible(text: str) -> str:
    """Drop characters that nobody sees, make blanks single spaces, cut at the allowed length."""
    return " ".join(_INVISIBLE.sub("", text[:MAX_CHARS]).split())


def any_of(words: Collection[str]) -> re.Pattern[str] | None:
    """A pattern that finds the longest of these normalised words; ``None`` without any."""
    if not words:
        return None
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    # one look at the first character spares most places of a text all the words
    first = "".join(sorted({re.escape(word[0]) for word in words}))
    return re.compile(f"(?=[{first}])(?:" + "|".join(map(_bounded, longest_first)) + ")")


def _bounded(word: str) -> str:
    """A pattern of the word; Latin letters and digits match as whole words only (km, not kmart)."""
    left = rf"(?<![{_LATIN_EDGE}])" if re.match(rf"[{_LATIN_EDGE}]", word) else ""
    right = rf"(?![{_LATIN_EDGE}])" if re.search(rf"[{_LATIN_EDGE}]$", word) else ""
    return left + re.escape(word) + right
