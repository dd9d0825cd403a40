"""Features of the classifier: characters, words, their meanings, pairs of words, and sounds.

Source:
    The views and their sizes were chosen by measuring on 40 labelled sets: for Chinese,
    characters 1-2 with marks at both ends and jieba's words (longer runs of characters cost 2-5
    points); for English, characters 1-4 inside words and words 1-2.
"""

import re
from collections import Counter
from itertools import pairwise

import rjieba

from knowledge_base.text.concepts import MARK, meanings
from knowledge_base.text.masks import MASKS
from knowledge_base.text.pinyin import rough

_MAX_PAIRED_WORDS = 16
_LATIN_GRAMS = (1, 2, 3, 4)
# Runs: Latin words and numbers, or anything else that is a letter (Chinese above all).
_RUNS = re.compile(rf"[a-z]+(?:'[a-z]+)?|\d+|[^\W\da-z_]+|[{MASKS}]")
_OTHER_LETTER = re.compile(r"[^\W\da-z_]")
_LONG_NUMBER = 5
_STOP = frozenset("的了吗呢啊呀吧嘛么哦哈") | {"the", "a", "an", "to", "of", "is"}


Views = tuple[Counter[str], Counter[str], Counter[str], Counter[str]]


def is_latin(text: str) -> bool:
    """Tell whether a normalised text has no letters but those of the Latin alphabet."""
    return text.isascii() or _OTHER_LETTER.search(text) is None


def features(text: str) -> Views:
    """Counts of characters, words with their concepts, unordered pairs of words, and sounds.

    Args:
        text: Normalised.

    Returns:
        Four views. Names of features are prefixed by their view, so that they never collide.
    """
    chars: list[str] = []
    words: list[str] = []
    sounds: list[str] = []
    runs = _RUNS.findall(text)
    last = len(runs) - 1
    for n, run in enumerate(runs):
        if run[0].isascii():
            word = "#" if len(run) >= _LONG_NUMBER and run.isdigit() else run
            words.append(word)
            padded = f" {word} "
            chars += [
                "c" + padded[start : start + size]
                for size in _LATIN_GRAMS
                for start in range(len(padded) - size + 1)
            ]
        else:
            words += rjieba.cut(run, hmm=True) if len(run) > 1 else [run]
            marked = ("^" if n == 0 else "") + run + ("$" if n == last else "")
            chars += ["c" + char for char in run]
            chars += ["c" + marked[at : at + 2] for at in range(len(marked) - 1)]
            said = rough(run).split(" ")
            sounds += [f"y{left} {right}" for left, right in pairwise(said)]
    counted = ["w" + word for word in words]
    counted += [
        f"w{left} {right}" for left, right in pairwise(words) if left.isascii() and right.isascii()
    ]
    meant = meanings(words)
    counted += ["w" + meaning for meaning in meant if meaning[0] == MARK]
    paired = sorted({meaning for meaning in meant if meaning not in _STOP})[:_MAX_PAIRED_WORDS]
    pairs = [f"p{left} {right}" for n, left in enumerate(paired) for right in paired[n + 1 :]]
    return Counter(chars), Counter(counted), Counter(pairs), Counter(sounds)
