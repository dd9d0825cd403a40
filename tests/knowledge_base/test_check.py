import json
from pathlib import Path

from knowledge_base.evaluation.check import check, explain
from knowledge_base.evaluation.checklist import SHOWN, as_text
from knowledge_base.evaluation.finding import Finding, Kind, Severity
from knowledge_base.problem import Place
from knowledge_base.recognition.loader import KnowledgeBase
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
    assert f"kb.yaml:{line_of(text, '我要退款,')}）" in finding


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


def test_a_phrase_that_its_own_intent_refuses_is_a_conflict(load_text: LoadText) -> None:
    text = SMALL_KB.replace("    handoff: true\n", "    handoff: true\n    not: [接人工]\n")
    (finding,) = kinds(load_text(text))["conflict"]
    assert "它自己的 not" in finding


def test_synonyms_that_make_two_intents_phrases_equal_are_an_error_at_their_line(
    load_text: LoadText,
) -> None:
    text = SMALL_KB.replace("synonyms:\n", "synonyms:\n  - [付款, 退款]\n").replace(
        "怎么付款,", "怎么付款, 申请付款,"
    )
    findings = check(load_text(text))
    (clash,) = [one for one in findings if one.kind is Kind.SYNONYM_CLASH]
    assert clash.is_error
    assert clash.place.line == line_of(text, "- [付款, 退款]")
    assert "申请退款" in clash.text
    assert "申请付款" in clash.text
    assert not [one for one in findings if one.kind is Kind.CONFLICT]


def test_nearly_one_wording_in_two_intents_is_told_once_with_both_places(
    load_text: LoadText,
) -> None:
    text = SMALL_KB.replace("ask: [转人工,", "ask: [转人工, 请问营业时间是几点到几点,")
    (near,) = kinds(load_text(text))["near_conflict"]
    assert "human_agent" in near
    assert "business_hours" in near
    assert f"kb.yaml:{line_of(text, '你们几点下班')}" in near
    assert f"kb.yaml:{line_of(text, '转人工,')}" in near


def test_near_wordings_that_a_not_has_settled_are_left_alone(load_text: LoadText) -> None:
    text = SMALL_KB.replace("ask: [转人工,", "ask: [转人工, 请问营业时间是几点到几点,").replace(
        "    answer: 我们", "    not: [请问营业时间是几点到几点]\n    answer: 我们"
    )
    assert "near_conflict" not in kinds(load_text(text))


def test_intents_that_mean_the_same_are_too_close(load_text: LoadText) -> None:
    text = (
        SMALL_KB
        + """\
  money_back:
    title: 退钱
    ask: [我想要退款, 不想要了退我钱, 给我退款吧, 这单可以退款吗, 我申请退款, 把钱退给我,
          要求退钱给我, 麻烦帮我退款]
    handoff: true
"""
    )
    found = kinds(load_text(text))["too_close"]
    (close,) = [one for one in found if "money_back 和 refund_request" in one]
    assert "合并" in close


def test_a_word_in_two_groups_of_synonyms_is_told(load_text: LoadText) -> None:
    text = SMALL_KB.replace("synonyms:\n", "synonyms:\n  - [退款, 退钱]\n  - [付款, 退钱]\n")
    (chain,) = kinds(load_text(text))["synonym_chain"]
    assert f":{line_of(text, '- [付款, 退钱]')}: " in chain
    assert f":{line_of(text, '- [退款, 退钱]')} " in chain


def test_a_word_that_goes_through_two_groups_is_told(load_text: LoadText) -> None:
    text = SMALL_KB.replace("synonyms:\n", "synonyms:\n  - [退款, 退钱]\n  - [退钱, 退费]\n")
    found = kinds(load_text(text))["synonym_chain"]
    assert any("“退费” 本该当作 “退钱”" in one and "“退款”" in one for one in found)


def test_a_not_that_nothing_of_the_intent_is_like_is_useless(load_text: LoadText) -> None:
    text = SMALL_KB.replace(
        "    handoff: true\n", "    handoff: true\n    not: [宠物洗澡, 人工智能]\n"
    )
    (useless,) = kinds(load_text(text))["useless_not"]
    assert "宠物洗澡" in useless


def test_a_misplaced_phrase_is_shown_with_what_it_is_like(load_text: LoadText) -> None:
    text = SMALL_KB.replace("ask: [转人工,", "ask: [转人工, 卡密输进去一直提示无效,")
    found = [one for one in check(load_text(text)) if one.kind is Kind.MISPLACED]
    assert any("那边最像的是 “卡密输进去提示无效”" in one.text for one in found)
    assert [one.weight for one in found] == sorted((one.weight for one in found), reverse=True)


def a_finding(kind: Kind, n: int, severity: Severity = Severity.WARNING) -> Finding:
    place = Place(file=Path("kb.yaml"), line=n)
    return Finding(place, kind, f"finding {n}", "mend it", severity, weight=-n)


def test_the_list_shows_the_worst_of_each_kind_and_says_how_to_see_the_rest() -> None:
    findings = [a_finding(Kind.MISPLACED, n) for n in range(SHOWN + 3)]
    said = as_text([a_finding(Kind.CONFLICT, 99, Severity.ERROR), *findings])
    assert said.index("finding 99") < said.index("finding 0")
    assert f"finding {SHOWN - 1}" in said
    assert f"finding {SHOWN}\n" not in said
    assert "另有 3 条，用 --all 看全部" in said
    everything = as_text(findings, shows_all=True)
    assert f"finding {SHOWN + 2}" in everything
    assert "--all" not in everything


def test_every_kind_has_a_heading() -> None:
    assert as_text([a_finding(kind, 1) for kind in Kind]).count("finding 1") == len(Kind)


def test_a_finding_is_an_object_for_programs() -> None:
    told = a_finding(Kind.TOO_CLOSE, 7).as_json()
    assert json.loads(json.dumps(told)) == {
        "file": "kb.yaml", "line": 7, "kind": "too_close", "text": "finding 7", "hint": "mend it",
        "severity": "warning", "weight": -7,
    }  # fmt: skip


def test_a_tool_is_explained_by_its_slots_variables_and_outcomes() -> None:
    said = explain(TOOLS["card_status"])
    for word in ("card_secret", "card.summary", "已使用", "shop.hours"):
        assert word in said
