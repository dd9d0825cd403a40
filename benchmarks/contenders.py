"""Who is compared: kefu itself, a plain scikit-learn pipeline, the nearest phrase.

Each learns a set's phrases and then says of single utterances what it takes them for, and how sure
it is. Each is timed alike, one utterance at a time.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.sets import LabelledSet, write_kb
from bot.tools.registry import TOOL_SPECS
from knowledge_base.recognition.loader import load


@dataclass(frozen=True, slots=True)
class Guess:
    """What an utterance was taken for.

    Attributes:
        intent: The best one; ``None`` if nothing is alike.
        confidence: Higher is surer; comparable only within one contender.
    """

    intent: str | None
    confidence: float


Understand = Callable[[str], Guess]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A contender that has learnt a set."""

    understand: Understand
    fit_s: float


def kefu(labelled: LabelledSet) -> Fitted:
    """The whole cascade as it serves customers: a kb.yaml, read by ``loader.load``."""
    with tempfile.TemporaryDirectory(prefix="kefu-bench-") as folder:
        path = labelled.kb
        if path is None:
            path = Path(folder) / "kb.yaml"
            write_kb(labelled.phrases, path)
        kb = load(path, tools=TOOL_SPECS, cache_dir=None)

    def understand(text: str) -> Guess:
        found = kb.recognizer.recognize(text).candidates
        return Guess(found[0].intent, found[0].confidence) if found else Guess(None, 0.0)

    return Fitted(understand, kb.recognizer.model.fit_s)


def plain_sklearn(labelled: LabelledSet) -> Fitted:
    """TF-IDF of words 1-2 and of characters 2-4 inside words, then LinearSVC: one page of code.

    Confidence is the highest margin.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415  2 s to import,
    from sklearn.pipeline import make_pipeline, make_union  # noqa: PLC0415  and only wanted here
    from sklearn.svm import LinearSVC  # noqa: PLC0415

    started = time.perf_counter()
    texts, intents = zip(*labelled.phrases, strict=True)
    pipeline = make_pipeline(
        make_union(
            TfidfVectorizer(ngram_range=(1, 2)),
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4)),
        ),
        LinearSVC(),
    ).fit(texts, intents)

    def understand(text: str) -> Guess:
        margins = pipeline.decision_function([text])[0]
        best = int(margins.argmax())
        return Guess(str(pipeline.classes_[best]), float(margins[best]))

    return Fitted(understand, time.perf_counter() - started)


def nearest_phrase(labelled: LabelledSet) -> Fitted:
    """The phrase with the fewest edits (rapidfuzz's ``ratio``, case and punctuation aside)."""
    from rapidfuzz import fuzz, process, utils  # noqa: PLC0415  beside the other imports

    started = time.perf_counter()
    texts, intents = zip(*labelled.phrases, strict=True)
    prepared = [utils.default_process(text) for text in texts]

    def understand(text: str) -> Guess:
        found = process.extractOne(utils.default_process(text), prepared, scorer=fuzz.ratio)
        return Guess(intents[found[2]], found[1] / 100) if found else Guess(None, 0.0)

    return Fitted(understand, time.perf_counter() - started)


CONTENDERS: dict[str, Callable[[LabelledSet], Fitted]] = {
    "kefu": kefu,
    "sklearn": plain_sklearn,
    "rapidfuzz": nearest_phrase,
}
