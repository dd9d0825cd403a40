from knowledge_base.check import Severity, check, explain
from knowledge_base.loader import KnowledgeBase
from tests.knowledge_base.conftest import SMALL_KB, TOOLS, LoadText


def kinds(kb: KnowledgeBase) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for finding in check(kb):
        found.setdefault(finding.kind, []).append(str(finding))
    return found


def line_of(text: str, words: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), start=1) if words in line)


def test_a_phrase_of_two_intents_is_a_conflict_with_both_lines(load_text: LoadText) -> None:
    text = SMALL_KB.replace("ask: [转人工,", "ask: [转人工, 我要退款！,")
    (finding,) = kinds(load_text(text))["conflict"]
    assert f"kb.yaml:{line_of(text, '转人工,')}: " in finding
    assert f"kb.yaml:{line_of(text, '我要退款,')})" in finding


def test_a_phrase_that_is_also_out_of_scope_is_a_conflict(load_text: LoadText) -> None:
    assert kinds(load_text(SMALL_KB.replace("- 快递几天到", "- 转人工")))["conflict"]


def test_phrases_that_read_the_same_are_told(load_text: LoadText) -> None:
    (finding,) = kinds(load_text(SMALL_KB.replace("找客服,", "找客服, 轉人工!,")))["repeated"]
    assert "轉人工!" in finding


def test_a_test_phrase_that_is_taken_for_another_intent_is_an_error(load_text: LoadText) -> None:
    text = SMALL_KB.replace("test: [为啥卡密输不进去说是错的]", "test: [你们几点关门啊]")
    found = [one for one in check(load_text(text)) if one.kind == "test_failed"]
    assert [one.severity for one in found] == [Severity.ERROR]
    assert found[0].place.line == line_of(text, "test: ")
    assert "business_hours" in found[0].text


def test_thin_intents_and_dead_synonyms_are_told_with_their_lines(load_text: LoadText) -> None:
    text = SMALL_KB.replace("synonyms:\n", "synonyms:\n  - [加油卡, 油卡]\n")
    found = kinds(load_text(text))
    assert len(found["few_phrases"]) == 6
    (dead,) = found["dead_synonym"]
    assert f":{line_of(text, '加油卡')}: " in dead


def test_a_phrase_in_the_wrong_intent_is_found_by_leaving_it_out(load_text: LoadText) -> None:
    text = SMALL_KB.replace("ask: [转人工,", "ask: [转人工, 卡密输进去一直提示无效,")
    assert any("卡密输进去一直提示无效" in one for one in kinds(load_text(text))["misplaced"])


def test_errors_come_first(load_text: LoadText) -> None:
    text = SMALL_KB.replace("ask: [转人工,", "ask: [转人工, 我要退款,")
    severities = [one.severity for one in check(load_text(text))]
    assert severities == sorted(severities, key=lambda one: one is not Severity.ERROR)


def test_a_tool_is_explained_by_its_slots_variables_and_outcomes() -> None:
    said = explain(TOOLS["card_status"])
    for word in ("card_secret", "card.summary", "已使用", "shop.hours"):
        assert word in said
