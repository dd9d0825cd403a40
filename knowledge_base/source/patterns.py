"""Regular expressions of kb.yaml that settle the question by themselves.

An admin writes them, a customer's text runs through them, and one such as ``(x+x+)+y`` takes longer
than the universe has for it. Python's ``re`` cannot be stopped; ``regex`` reads the same language
and takes a time limit.
"""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import regex
import structlog

from knowledge_base.source.intent import Intent, IntentId

log = structlog.get_logger(__name__)

SEARCH_LIMIT_S = 0.05
"""One pattern, one text; CPU time of the process, as ``regex`` counts it, so that a busy machine
switches nothing off. The shipped patterns need under 0.1 ms for 600 characters."""
MESSAGE_LIMIT_S = 0.1
"""All patterns together; those that are left then have ``LAST_LIMIT_S`` each."""
LAST_LIMIT_S = 0.002
TIMEOUTS_BEFORE_OFF = 3
MAX_EXPANDED = 20_000
"""``regex`` writes counted repeats out: ``(((a{99}){99}){99}){99}`` takes gigabytes to compile."""

_COUNT = re.compile(r"\{(\d+)(?:,\d*)?\}")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)

Pattern = regex.Pattern[str]


class BadPattern(ValueError):
    """A text is no regular expression that can be used; the message says why, in English."""


def compiled(pattern: str) -> Pattern:
    """Compile a pattern; letter case does not matter to it.

    Raises:
        BadPattern: It is malformed, or writes a repeat so large that compiling it takes the memory.
    """
    if expanded_size(pattern) > MAX_EXPANDED:
        raise BadPattern(f"its counted repeats multiply to more than {MAX_EXPANDED}")
    try:
        # the language is that of `re`, which admins find described; `regex` knows more of it
        re.compile(pattern)
        return regex.compile(pattern, regex.IGNORECASE)
    except (re.error, regex.error, OverflowError, RecursionError, MemoryError) as error:
        raise BadPattern(str(error) or type(error).__name__) from error


def expanded_size(pattern: str) -> int:
    """Count the single-character items of a pattern once its counted repeats are written out.

    >>> expanded_size("(ab{3}){10}")
    40
    >>> expanded_size("[a-z]{4}-?[0-9]{3}")
    8
    """
    groups, last, at = [0], 0, 0
    while at < len(pattern):
        char, step = pattern[at], 1
        if (count := _COUNT.match(pattern, at)) is not None:
            groups[-1] += last * (max(1, int(count[1][:12])) - 1)
            last *= max(1, int(count[1][:12]))
            step = count.end() - at
        elif char == "(":
            groups.append(0)
        elif char == ")":
            last = groups.pop() if len(groups) > 1 else 0
            groups[-1] += last
        elif char not in "+*?|^$":
            if char == "\\":
                step = 2
            elif (found := _CLASS.match(pattern, at)) is not None:
                step = found.end() - at
            last = 1
            groups[-1] += 1
        at += step
    return sum(groups)


@dataclass(frozen=True, slots=True)
class Patterns:
    """Compiled patterns in the order of kb.yaml.

    Attributes:
        patterns: Each with the intent that it settles.
        now: CPU seconds that the process has used.
    """

    patterns: tuple[tuple[Pattern, IntentId], ...]
    now: Callable[[], float] = time.process_time
    _timeouts: dict[int, int] = field(default_factory=dict)

    def match(self, *texts: str) -> tuple[IntentId, ...]:
        """Intents with a pattern found in any of the texts, each once.

        What is not found within its time counts as not found. A pattern to which that happens
        ``TIMEOUTS_BEFORE_OFF`` times is not tried again until kb.yaml is loaded anew.
        """
        if not self.patterns:
            return ()
        ends_at = self.now() + MESSAGE_LIMIT_S
        found: dict[IntentId, None] = {}
        for number, (pattern, intent) in enumerate(self.patterns):
            if intent in found or self._timeouts.get(number, 0) >= TIMEOUTS_BEFORE_OFF:
                continue
            # a good pattern behind bad ones, or on a busy machine, still has its moment
            limit_s = min(SEARCH_LIMIT_S, max(ends_at - self.now(), LAST_LIMIT_S))
            try:
                if any(pattern.search(text, timeout=limit_s) for text in texts):
                    found[intent] = None
            except TimeoutError:
                self._timed_out(number)
        return tuple(found)

    @property
    def switched_off(self) -> tuple[tuple[str, IntentId], ...]:
        """Patterns that timed out too often, with their intents."""
        return tuple(
            (self.patterns[number][0].pattern, self.patterns[number][1])
            for number, count in self._timeouts.items()
            if count >= TIMEOUTS_BEFORE_OFF
        )

    def _timed_out(self, number: int) -> None:
        self._timeouts[number] = self._timeouts.get(number, 0) + 1
        pattern, intent = self.patterns[number]
        log.warning(
            "kb_pattern_timed_out",
            intent=intent,
            pattern=pattern.pattern[:80],
            is_off=self._timeouts[number] >= TIMEOUTS_BEFORE_OFF,
            advice="kefu kb check names its line",
        )


def fit_patterns(intents: Iterable[Intent]) -> Patterns:
    """Compile them; they were checked when kb.yaml was read."""
    return Patterns(
        tuple((compiled(pattern), intent.id) for intent in intents for pattern in intent.patterns)
    )
