"""Saving kb.yaml changes the running bot, or changes nothing and says why."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.tools.registry import TOOL_SPECS
from bot.turn.knowledge import Knowledge, KnowledgeFiles
from knowledge_base.recognition.loader import KnowledgeBase
from knowledge_base.source.intent import IntentId

KB = """
shop: {name: 小店, timezone: Asia/Shanghai, hours: 每天 09:00-23:00}
intents:
  card_how_to_use:
    title: 怎么兑换
    ask: [卡密怎么用, 怎么兑换卡密]
    answer: 旧的回答
  greeting:
    title: 打招呼
    ask: [你好, 在吗]
    answer: 您好！
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "kb.yaml"
    made.write_text(KB)
    return made


@pytest.fixture
def files(path: Path, tmp_path: Path) -> KnowledgeFiles:
    return KnowledgeFiles(path, TOOL_SPECS, tmp_path / "cache")


def utc_now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def knowledge(files: KnowledgeFiles) -> Knowledge:
    return Knowledge(files, files.load(), clock=utc_now)


def saves(path: Path, text: str) -> None:
    """Write, and make sure that the time of change differs whatever the file system's grain."""
    before = path.stat().st_mtime_ns
    path.write_text(text)
    os.utime(path, ns=(before + 1_000_000_000, before + 1_000_000_000))


def answer_of(kb: KnowledgeBase, intent: str) -> str:
    return kb.intents[IntentId(intent)].answers[0]


async def test_a_saved_answer_and_a_saved_phrase_are_in_use(
    knowledge: Knowledge, path: Path
) -> None:
    saves(path, KB.replace("旧的回答", "新的回答").replace("在吗", "芝麻开门"))
    assert await knowledge.look()
    assert answer_of(knowledge.current, "card_how_to_use") == "新的回答"
    found = knowledge.current.recognizer.recognize("芝麻开门")
    assert (found.candidates[0].intent, found.rule) == ("greeting", "exact")


async def test_what_was_saved_is_in_use_before_the_new_fit_is_ready(
    files: KnowledgeFiles, path: Path
) -> None:
    answers: list[str] = []

    async def note(_kb: object) -> None:
        answers.append(answer_of(loaded.current, "card_how_to_use"))

    loaded = Knowledge(files, files.load(), clock=utc_now, prepare=note)
    saves(path, KB.replace("旧的回答", "新的回答").replace("在吗", "芝麻开门"))
    await loaded.look()
    # the old one while the first is prepared; the new answer while the new fits are
    assert answers == ["旧的回答", "新的回答", "新的回答"]


async def test_what_is_like_a_saved_phrase_is_understood_before_it_is_calibrated(
    files: KnowledgeFiles, path: Path
) -> None:
    seen: list[KnowledgeBase] = []

    async def note(kb: KnowledgeBase) -> None:
        seen.append(kb)

    knowledge = Knowledge(files, files.load(), clock=utc_now, prepare=note)
    before = knowledge.current.recognizer.model
    saves(path, KB.replace("在吗", "芝麻开门"))
    await knowledge.look()
    old_fit, draft, calibrated = (kb.recognizer for kb in seen)
    assert old_fit.model is before
    assert [kb.thresholds for kb in seen[:2]] == [seen[0].thresholds] * 2
    assert draft.recognize("芝麻快开门").candidates[0].intent == "greeting"
    assert (draft.model.weights == calibrated.model.weights).all()
    assert len(calibrated.model.trial.best) == knowledge.current.phrase_count


async def test_a_broken_file_changes_nothing_and_says_where(
    knowledge: Knowledge, path: Path
) -> None:
    saves(path, KB.replace("answer: 旧的回答", "anwser: 新的回答"))
    assert not await knowledge.look()
    assert answer_of(knowledge.current, "card_how_to_use") == "旧的回答"
    assert knowledge.status.problem is not None
    assert "kb.yaml:7" in knowledge.status.problem
    saves(path, KB.replace("旧的回答", "改好了"))
    assert await knowledge.look()
    assert knowledge.status.problem is None


async def test_an_intent_that_was_taken_out_is_not_named_any_more(
    knowledge: Knowledge, path: Path
) -> None:
    saves(path, KB[: KB.index("  greeting:")])
    assert await knowledge.look()
    assert "greeting" not in knowledge.current.intents
    found = knowledge.current.recognizer.recognize("你好")
    assert all(one.intent != "greeting" for one in found.candidates)


async def test_nothing_is_read_while_nothing_changed(knowledge: Knowledge) -> None:
    before = knowledge.current
    assert not await knowledge.look()
    assert knowledge.current is before
