"""Patterns of kb.yaml: they settle a question, and never hold up the shop."""

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.errors import KnowledgeBaseError
from knowledge_base.evaluation.check import check
from knowledge_base.source.intent import IntentId
from knowledge_base.source.patterns import (
    LAST_LIMIT_S,
    MESSAGE_LIMIT_S,
    TIMEOUTS_BEFORE_OFF,
    BadPattern,
    Patterns,
    compiled,
)
from knowledge_base.source.runaway import runaway
from knowledge_base.source.schema import IntentPart
from tests.knowledge_base.conftest import SMALL_KB, LoadText

KB_FILES = sorted(Path(__file__).parents[2].glob("kb/**/*.yaml"))

# nested and overlapping repeats, as an admin writes them or finds them on the web; behind a word,
# in Chinese, and the one of the report
RUNAWAYS = (
    r"(x+x+)+y",
    r"([a-zA-Z]+)*$",
    r"(\w+\w+)+号$",
    r"(好+好+)+吗",
    r"^(好|好好)+吗$",
    r"^(a|aa)+$",
    r"(\d{1,3},?)+元",
    r"(\s*\S+\s*)+单号是$",
)
FINE = (
    r"^多久(发|到)",
    r"^\W*(订单号?\W*)?dd[-\s._]*([0-9a-z][-\s._]*){20}\W*$",
    r"^\s*(?!dd)(?=.*\d)[0-9a-z]{4,8}([-\s][0-9a-z]{4,8}){3,5}\s*$",
    r"到账.{0,10}(吗|没)",
    r"^0{3}$",
    r"(退款|退钱|退我).*(多久|几天)",
)


@pytest.mark.parametrize("pattern", RUNAWAYS)
def test_a_pattern_that_may_run_away_is_found_by_trying_it(pattern: str) -> None:
    assert runaway(pattern) is not None


@pytest.mark.parametrize("pattern", FINE)
def test_an_ordinary_pattern_is_not_suspected(pattern: str) -> None:
    assert runaway(pattern) is None


def test_the_shipped_patterns_are_all_quick() -> None:
    patterns = [
        pattern
        for file in KB_FILES
        for intent in (yaml.safe_load(file.read_text("utf-8")).get("intents") or {}).values()
        for pattern in IntentPart.model_validate(intent).patterns
    ]
    assert len(patterns) >= 5
    assert [pattern for pattern in patterns if runaway(pattern)] == []


def test_kb_check_refuses_a_runaway_pattern_with_its_line(load_text: LoadText) -> None:
    text = SMALL_KB.replace(
        "    handoff: true\n",
        "    handoff: true\n    patterns:\n      - '^0{3}$'\n      - '(x+x+)+y'\n",
    )
    errors = [one for one in check(load_text(text)) if one.kind == "slow_pattern"]
    assert [one.is_error for one in errors] == [True]
    line = next(n for n, one in enumerate(text.splitlines(), 1) if "(x+x+)+y" in one)
    assert f"kb.yaml:{line}: " in str(errors[0])
    assert "(x+x+)+y" in str(errors[0])


def test_a_message_that_makes_a_pattern_run_away_is_recognised_all_the_same(
    load_text: LoadText,
) -> None:
    kb = load_text(
        SMALL_KB.replace(
            "    handoff: true\n", "    handoff: true\n    patterns: ['^((x+x+)+y|转人)']\n"
        )
    )
    assert kb.recognizer.recognize("x" * 500).band.value == "miss"
    assert kb.recognizer.recognize("转人工客服谢谢").candidates[0].intent == "human_agent"


def a_runaway_beside_a_good_one() -> Patterns:
    return Patterns(
        (
            (compiled(r"(x+x+)+y"), IntentId("slow")),
            (compiled(r"xxx"), IntentId("quick")),
        )
    )


def test_a_pattern_that_timed_out_does_not_keep_the_others_from_matching() -> None:
    assert a_runaway_beside_a_good_one().match("x" * 600) == ("quick",)


def test_a_pattern_that_keeps_timing_out_is_switched_off_and_named() -> None:
    patterns = a_runaway_beside_a_good_one()
    for _ in range(TIMEOUTS_BEFORE_OFF):
        assert patterns.switched_off == ()
        patterns.match("x" * 600)
    assert patterns.switched_off == ((r"(x+x+)+y", IntentId("slow")),)
    assert patterns.match("xxxy") == ("quick",)


def test_a_hundred_runaway_patterns_cost_a_message_no_more_than_one() -> None:
    given: list[float] = []

    class Slow:
        """A pattern that takes all the time that it is given."""

        pattern = "slow"

        def search(self, _text: str, *, timeout: float) -> None:
            given.append(timeout)
            raise TimeoutError

    patterns = Patterns(
        tuple((Slow(), IntentId(f"slow{n}")) for n in range(100)),  # type: ignore[misc]
        now=lambda: sum(given),
    )
    assert patterns.match("x") == ()
    assert sum(given) <= MESSAGE_LIMIT_S + 100 * LAST_LIMIT_S


@given(st.from_regex(r"[a-z0-9 好吗]{0,40}", fullmatch=True))
def test_patterns_read_as_the_usual_regular_expressions_do(text: str) -> None:
    for pattern in FINE:
        assert bool(compiled(pattern).search(text)) == bool(re.search(pattern, text, re.IGNORECASE))


@given(st.text(max_size=60))
def test_no_pattern_text_breaks_the_check(text: str) -> None:
    try:
        compiled(text)
    except BadPattern:
        return
    runaway(text)


def test_a_pattern_that_cannot_be_compiled_is_told_with_its_place(
    load_text: LoadText,
) -> None:
    for broken in ("(", "[z-a]", "*", "(?P<a>x)(?P<a>"):
        with pytest.raises(KnowledgeBaseError, match="正则"):
            load_text(
                SMALL_KB.replace(
                    "    handoff: true\n", f"    handoff: true\n    patterns: ['{broken}']\n"
                )
            )


@pytest.mark.parametrize(
    "pattern",
    [
        "(((((a{99}){99}){99}){99}){99})",
        "a{99999999999}",
        "(?:[ab]{999}){999}",
        "((x{200}y?){200})",
    ],
)
def test_a_pattern_whose_repeats_would_fill_the_memory_is_refused_unread(pattern: str) -> None:
    with pytest.raises(BadPattern, match="repeats"):
        compiled(pattern)


def test_a_pattern_that_repeats_no_more_than_people_write_is_taken() -> None:
    assert compiled("[a-z0-9]{4}(-[a-z0-9]{4}){7}").search("-".join(["ab12"] * 8))
    assert compiled(r"^(\d{4} ?){4,5}$").search("6222 0000 1111 2222")
