import os
import subprocess
import sys
from pathlib import Path

import pytest

from knowledge_base.errors import KnowledgeBaseError
from knowledge_base.recognition.loader import KnowledgeBase, fingerprint, load
from tests.knowledge_base.conftest import SMALL_KB, TOOLS, LoadText

SHOP = 'shop: {name: 店, timezone: Asia/Shanghai, hours: "每天 09:00-23:00"}\n'
GREETING = "intents:\n  greeting:\n    title: 打招呼\n    ask: [你好]\n    answer: 您好\n"


def problems_of(load_text: LoadText, text: str, **included: str) -> list[str]:
    with pytest.raises(KnowledgeBaseError) as caught:
        load_text(text, **included)
    return [
        f"{problem.file.name}:{problem.line}: {problem.text} → {problem.hint}"
        for problem in caught.value.problems
    ]


def test_everything_that_was_written_is_there(small_kb: KnowledgeBase) -> None:
    invalid = small_kb.intents["card_invalid"]  # type: ignore[index]
    assert invalid.tool == "card_status"
    assert invalid.answers == ("查到了：{{ card.summary }}",)
    assert invalid.then == ("human_agent",)
    assert small_kb.intents["human_agent"].handoff is not None  # type: ignore[index]
    assert small_kb.intents["human_agent"].handoff.text is None  # type: ignore[index]
    assert small_kb.shop.name == "星辰点卡"
    assert small_kb.policy.misses_before_handoff == 2
    assert 0 < small_kb.thresholds.clarify <= small_kb.thresholds.answer <= 1


@pytest.mark.parametrize(
    ("text", "line", "word", "hint"),
    [
        ("  anwser: 您好\n", 7, "anwser", "answer"),
        ("  then: [gretting]\n", 7, "gretting", "greeting"),
        ("  outcomes: {delivered: 好}\n", 7, "outcomes", "tool"),
        ("  en: 'Open {{ shop.hour }}'\n", 7, "shop.hour", "shop.hours"),
        ("  en: 'Open {{ shop.hours '\n", 7, "模板", "{{"),
        ("  patterns: ['(']\n", 7, "正则", ""),
        ("  images: [none.png]\n", 7, "none.png", ""),
        ("  evidence: 也许\n", 7, "也许", "true"),
        ("  title: 又一个\n", 7, "title", ""),
        ("  ask: {a: b}\n", 7, "ask", ""),
        ("  handoff: 好\n", 3, "exactly one", ""),
    ],
)
def test_a_mistake_in_an_intent_names_line_words_and_way_out(
    load_text: LoadText, text: str, line: int, word: str, hint: str
) -> None:
    found = problems_of(load_text, SHOP + GREETING + "  " + text)
    assert any(
        one.startswith(f"kb.yaml:{line}: ") and word in one and hint in one for one in found
    ), found


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("shop: {name: 店\n", 1, "YAML"),
        (SHOP + "intents:\n\tgreeting: 1\n", 3, "Tab"),
        (SHOP + "intents:\n  greeting:\n    title：打招呼\n    answer: 好\n", 4, "冒号"),
        ("intents: {}\n", 1, "shop"),
        ("- a\n", 1, "mapping"),
        ("", 1, "shop"),
        (SHOP + "intent:\n", 2, "intents"),
        (SHOP + GREETING + "  greeting:\n    title: 又\n    answer: 好\n", 7, "第 3 行"),
        (SHOP.replace("Shanghai", "Shangai") + GREETING, 1, "Shangai"),
        (SHOP.replace("Asia/Shanghai", "Asia") + GREETING, 1, "Asia"),
        (SHOP.replace("09:00", "九点") + GREETING, 1, "九点"),
        (SHOP + "thresholds: {answer: 0.3, clarify: 0.5}\n" + GREETING, 2, "clarify"),
        (SHOP + "thresholds: {answer: 3}\n" + GREETING, 2, "answer"),
        (SHOP + "include: [kb/*.yaml]\n" + GREETING, 2, "kb/*.yaml"),
        (SHOP + "a: &a [*a]\n" + GREETING, 2, ""),
        (SHOP, 1, "no intents"),
    ],
)
def test_a_mistake_elsewhere_names_line_and_words(
    load_text: LoadText, text: str, line: int, word: str
) -> None:
    found = problems_of(load_text, text)
    assert any(one.startswith(f"kb.yaml:{line}: ") and word in one for one in found), found


def test_an_unknown_tool_variable_or_outcome_is_told_with_the_nearest(load_text: LoadText) -> None:
    text = (
        SHOP + "intents:\n  card:\n    title: 卡\n    ask: [卡]\n    tool: card_status\n"
        "    answer: |\n      查到了：\n      {{ card.sumary }}\n    outcomes:\n      usd: 用过了\n"
    )
    found = problems_of(load_text, text)
    assert any(":11: " in one and "usd" in one and "used" in one for one in found), found
    assert any(one.startswith("kb.yaml:9: ") and "card.summary" in one for one in found), found
    assert (
        "card_status" in problems_of(load_text, text.replace("tool: card_status", "tool: card"))[0]
    )


def test_all_problems_of_all_files_are_told_at_once(load_text: LoadText) -> None:
    found = problems_of(
        load_text,
        SHOP + "include: [kb/*.yaml]\n" + GREETING,
        kb_a="intents:\n  a: {titel: 甲, answer: 好}\n",
        kb_b="intents:\n  b: {title: 乙}\n  greeting: {title: 又, answer: 好}\n",
    )
    assert [one.split(":")[0] for one in found].count("a.yaml") == 2
    assert any(one.startswith("b.yaml:2: ") for one in found)
    assert any(one.startswith("b.yaml:3: ") and "kb.yaml:4" in one for one in found)


def test_included_files_are_merged_and_watched(load_text: LoadText) -> None:
    kb = load_text(
        SHOP + "include: [kb/*.yaml]\n" + GREETING,
        kb_a="synonyms: [[卡密, cdk]]\nintents:\n  a: {title: 甲, ask: 我的cdk, answer: 好}\n",
    )
    assert list(kb.intents) == ["greeting", "a"]
    assert [file.name for file in kb.files] == ["kb.yaml", "a.yaml"]
    assert kb.recognizer.recognize("我的卡密").candidates[0].intent == "a"


def test_words_that_yaml_would_turn_into_something_else_stay_words(load_text: LoadText) -> None:
    kb = load_text(
        SHOP + "intents:\n  a:\n    title: no\n    ask: [on, 12:30, 2026-10-01, 666, ~x, 1e3]\n"
        "    answer: off\n"
    )
    intent = next(iter(kb.intents.values()))
    assert (intent.title, intent.answers) == ("no", ("off",))
    assert intent.asks == ("on", "12:30", "2026-10-01", "666", "~x", "1e3")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"shop: \xe5\n"])
def test_a_file_in_another_encoding_is_told_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "kb.yaml"
    path.write_bytes(content)
    with pytest.raises(KnowledgeBaseError, match="UTF-8"):
        load(path, tools=TOOLS, cache_dir=None)


def test_a_missing_file_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeBaseError, match=r"none\.yaml:1"):
        load(tmp_path / "none.yaml", tools=TOOLS, cache_dir=None)


def test_the_same_phrases_are_fitted_once(tmp_path: Path) -> None:
    path, steps = tmp_path / "kb.yaml", list[str]()
    path.write_text(SMALL_KB, encoding="utf-8")

    def loaded(cache: str) -> KnowledgeBase:
        steps.clear()
        return load(
            path, tools=TOOLS, cache_dir=tmp_path / cache, progress=lambda s, _d: steps.append(s)
        )

    first = loaded("one")
    assert "fit" in steps
    path.write_text(SMALL_KB.replace("支付宝、微信都可以", "都可以"), encoding="utf-8")
    second = loaded("one")  # another answer, the same phrases
    assert steps == []
    assert first.content_hash != second.content_hash
    loaded("two")
    names = [sorted(file.name for file in (tmp_path / cache).iterdir()) for cache in ("one", "two")]
    assert names[0] == names[1]


def test_a_damaged_fit_in_the_cache_is_made_again(tmp_path: Path) -> None:
    path, cache = tmp_path / "kb.yaml", tmp_path / "fits"
    path.write_text(SHOP + GREETING, encoding="utf-8")
    load(path, tools=TOOLS, cache_dir=cache)
    (fit,) = cache.iterdir()
    fit.write_bytes(fit.read_bytes()[:100])
    assert load(path, tools=TOOLS, cache_dir=cache).recognizer.recognize("你好").candidates


def test_serving_imports_neither_scikit_learn_nor_scipy(tmp_path: Path) -> None:
    path = tmp_path / "kb.yaml"
    path.write_text(SHOP + GREETING, encoding="utf-8")
    program = (
        "import sys; from pathlib import Path; import bot.app.server\n"
        "from knowledge_base.recognition.loader import load, reload\n"
        f"path = Path({str(path)!r}); kb = load(path, tools={{}}, cache_dir=None)\n"
        "*_, kb = reload(path, tools={}, cache_dir=None, previous=kb)\n"
        "kb.recognizer.questions('你好')\n"
        "sys.exit(any(name.split('.')[0] in ('sklearn', 'scipy') for name in sys.modules))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(  # noqa: S603  this interpreter, a program written above
        [sys.executable, "-c", program], check=False, env={**os.environ, "PYTHONPATH": str(root)}
    )
    assert done.returncode == 0


def test_a_fingerprint_changes_with_the_files_and_only_then(tmp_path: Path) -> None:
    file = tmp_path / "kb.yaml"
    missing = fingerprint([file])
    file.write_text("a", encoding="utf-8")
    written = fingerprint([file])
    assert missing != written == fingerprint([file])
    file.write_text("ab", encoding="utf-8")
    assert fingerprint([file]) != written
