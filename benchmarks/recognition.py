"""Recognition alone, in this process."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Spread
from bot.tool_specs import TOOL_SPECS
from knowledge_base.loader import load

_WARM_UP = 50


def recognition(kb: Path, cache_dir: Path, texts: Sequence[str]) -> Spread:
    """How long it takes to say what an utterance means, the shipped kb.yaml asked."""
    recognizer = load(kb, tools=TOOL_SPECS, cache_dir=cache_dir).recognizer
    for text in texts[:_WARM_UP]:
        recognizer.questions(text)
    took_s = []
    for text in texts[_WARM_UP:]:
        started = time.perf_counter()
        recognizer.questions(text)
        took_s.append(time.perf_counter() - started)
    return Spread.of(took_s)
