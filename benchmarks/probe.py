"""A fresh process that loads one knowledge base and tells what that cost.

``python -m benchmarks.probe KB CACHE < texts.json`` prints one JSON object. Its own process,
because memory that something else once used cannot be told from memory that is needed.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

import bot.app.server  # noqa: F401  all that serving imports is there before the knowledge base is
from bot.tools.registry import TOOL_SPECS
from knowledge_base.recognition.loader import load
from knowledge_base.recognition.recognition import Recognizer

PASSES = 3
_WARM_UP = 50
_LONG = 10_000
_NOT_FOR_SERVING = ("sklearn", "scipy")


def probe(kb: Path, cache_dir: Path, texts: Sequence[str]) -> dict[str, object]:
    """Load, ask every text, and read the clocks.

    Args:
        kb: The main file.
        cache_dir: Without this knowledge base's fit in it, there will be a fit.
        texts: What to ask; none: only load.
    """
    gc.collect()
    before_mb = _resident_mb()
    started = time.perf_counter()
    told = [started]
    loaded = load(
        kb,
        tools=TOOL_SPECS,
        cache_dir=cache_dir,
        progress=lambda _step, _done: told.append(time.perf_counter()),
    )
    load_s = time.perf_counter() - started
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    took_s = {
        "one": _asked(loaded.recognizer, texts, split=False),
        "all": _asked(loaded.recognizer, texts, split=True),
    }
    long_s = _asked(loaded.recognizer, list(_long_texts()), split=True)
    gc.collect()
    return {
        "phrases": loaded.phrase_count,
        "intents": len(loaded.intents),
        "load_s": load_s,
        "fit_s": loaded.recognizer.model.fit_s,
        "fit_cpu_s": children.ru_utime + children.ru_stime,
        "fit_peak_mb": children.ru_maxrss / 1024,
        "told": len(told) - 1,
        "silence_s": max(b - a for a, b in zip(told, [*told[1:], started + load_s], strict=True)),
        "gained_mb": _resident_mb() - before_mb,
        "took_s": took_s,
        "long_s": max(long_s),
        "not_for_serving": [name for name in _NOT_FOR_SERVING if name in sys.modules],
    }


def _long_texts() -> Iterator[str]:
    """Messages of 10,000 characters, of several kinds."""
    for piece in (
        "我的卡密怎么还没有到账呢，",
        "where is my order please ",
        "卡\n",
        "1234567890-",
        "😀",
        "a@",
    ):
        yield (piece * _LONG)[:_LONG]


def _asked(recognizer: Recognizer, texts: Sequence[str], *, split: bool) -> list[float]:
    """Seconds of each text: the middle of three passes, so that a slow one is slow itself."""
    ask = recognizer.questions if split else recognizer.recognize
    for text in texts[:_WARM_UP]:
        ask(text)
    passes: list[list[float]] = []
    for _ in range(PASSES):
        took_s: list[float] = []
        for text in texts:
            started = time.perf_counter()
            ask(text)
            took_s.append(time.perf_counter() - started)
        passes.append(took_s)
    return [median(of_text) for of_text in zip(*passes, strict=True)]


def _resident_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise LookupError("VmRSS")


if __name__ == "__main__":
    print(json.dumps(probe(Path(sys.argv[1]), Path(sys.argv[2]), json.load(sys.stdin))))
