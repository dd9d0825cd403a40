"""Typos and short names: how near an utterance comes to single phrases."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz import fuzz, process

from knowledge_base.model.arrays import Floats, Ints

WEIGHT = 0.6
AMONG = 6  # intents whose phrases are compared: the most likely ones


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """Phrases by class.

    Attributes:
        phrases: For each class its normalised phrases.
    """

    phrases: tuple[tuple[str, ...], ...]

    def ratios(self, text: str, classes: Iterable[int]) -> Floats:
        """Best similarity in [0, 1] of a normalised text to each of these classes."""
        return np.array([self._best(text, number) for number in classes], dtype=np.float32)

    def _best(self, text: str, number: int) -> float:
        found = process.extractOne(text, self.phrases[number], scorer=fuzz.ratio)
        return found[1] / 100 if found else 0.0


def left_out_ratios(phrases: Sequence[str], classes: Ints, block: Ints, width: int) -> Floats:
    """Best similarity of the rows of a block to each class, the block's own rows left out.

    Args:
        phrases: Normalised.
        classes: Class number of each.
        block: Rows to compare with all others.
        width: Number of classes.

    Returns:
        (rows of the block, width), in [0, 1]; 0 where nothing of a class is left.
    """
    others = np.setdiff1d(np.arange(len(phrases)), block)
    ratios = process.cdist(
        [phrases[n] for n in block],
        [phrases[n] for n in others],
        scorer=fuzz.ratio,
        dtype=np.uint8,
        workers=-1,
    )
    best = np.zeros((len(block), width), dtype=np.float32)
    for number in range(width):
        mine = ratios[:, classes[others] == number]
        if mine.shape[1]:
            best[:, number] = mine.max(axis=1) / np.float32(100)
    return best
