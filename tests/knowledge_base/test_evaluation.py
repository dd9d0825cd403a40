import csv
from pathlib import Path

import pytest

from knowledge_base.errors import CasesError
from knowledge_base.evaluation.cases import Case, read_cases
from knowledge_base.evaluation.evaluation import Confusion, evaluate
from knowledge_base.evaluation.importer import import_cases
from knowledge_base.evaluation.scorecard import as_text
from knowledge_base.recognition.loader import KnowledgeBase, load
from tests.knowledge_base.conftest import TOOLS

FIGURES = [
    "accuracy", "top3", "answered_right", "clarified_right", "answered_wrong", "missed",
    "oos_rejected", "oos_silent", "auroc", "kept_at_80", "fit_s", "latency_ms", "n", "n_oos",
]  # fmt: skip


def test_all_promised_figures_are_reported(small_kb: KnowledgeBase) -> None:
    report = evaluate(
        small_kb,
        [
            Case("我要退款", ("refund_request",)),
            Case("转人工", ("human_agent", "greeting")),
            Case("几点关门", ("payment_methods",)),  # labelled wrongly on purpose
            Case("快递几天到", ()),
        ],
    )
    figures = report.as_json()
    assert list(figures) == FIGURES
    assert (figures["n"], figures["n_oos"]) == (3, 1)
    assert figures["accuracy"] == figures["answered_right"] == 0.6667
    assert figures["answered_wrong"] == 0.3333
    assert figures["clarified_right"] == figures["missed"] == 0
    assert figures["oos_rejected"] == figures["oos_silent"] == figures["auroc"] == 1
    assert report.confusions == (
        Confusion("payment_methods", "business_hours", times=1, answered=1, examples=("几点关门",)),
    )


def test_recall_and_confusions_come_worst_first_with_examples(small_kb: KnowledgeBase) -> None:
    report = evaluate(
        small_kb,
        [
            Case("我要退款", ("refund_request",)),
            Case("几点关门", ("refund_request",)),
            Case("你们几点下班", ("refund_request",)),
            Case("转人工", ("human_agent",)),
            Case("怎么付款", ()),  # answered, though nothing should
        ],
    )
    assert list(report.recall.items()) == [("refund_request", (1, 3)), ("human_agent", (1, 1))]
    assert report.confusions == (
        Confusion("refund_request", "business_hours", 2, 2, ("你们几点下班", "几点关门")),
        Confusion("oos", "payment_methods", 1, 1, ("怎么付款",)),
    )
    said = as_text(report)
    assert "refund_request → business_hours：2 次，其中答错 2 次，如 “你们几点下班”" in said
    assert "1/3     refund_request" in said
    assert "1/1     human_agent" not in said
    assert "1/1     human_agent" in as_text(report, shows_all=True)
    assert report.details()["recall"]["refund_request"] == {"right": 1, "rows": 3}


def test_an_evaluation_of_nothing_is_still_a_scorecard(small_kb: KnowledgeBase) -> None:
    assert "0 条有意图" in as_text(evaluate(small_kb, []))


def test_a_set_without_out_of_scope_rows_has_no_figures_for_them(small_kb: KnowledgeBase) -> None:
    figures = evaluate(small_kb, [Case("我要退款", ("refund_request",))]).as_json()
    assert figures["oos_rejected"] is figures["auroc"] is figures["kept_at_80"] is None


def test_predictions_have_one_row_per_case(small_kb: KnowledgeBase, tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    evaluate(small_kb, [Case("我要退款,快", ("a", "b")), Case("x", ())]).write_predictions(path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["text", "intent", "decision", "predicted", "confidence", "top3"]
    assert [(row["text"], row["intent"]) for row in rows] == [("我要退款,快", "a|b"), ("x", "oos")]


@pytest.mark.parametrize(
    ("content", "line"),
    [("text,label\na,b\n", 1), ("text,intent\na,b\nc,\n", 3), ("", 1)],
)
def test_cases_that_cannot_be_used_are_refused_with_the_line(
    tmp_path: Path, content: str, line: int
) -> None:
    path = tmp_path / "cases.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CasesError, match=rf"cases\.csv:{line}: "):
        read_cases(path)


def test_an_imported_knowledge_base_loads_and_knows_its_phrases(
    tmp_path: Path, cache_dir: Path
) -> None:
    cases, path = tmp_path / "cases.csv", tmp_path / "kb.yaml"
    cases.write_text(
        '\ufefftext,intent\n"我要""退款"", 快: #1",refund?\n'
        "- 转人工 \u2028,human|agent\n天气,oos\n",
        encoding="utf-8",
    )
    assert import_cases(cases, path) == 2
    kb = load(path, tools=TOOLS, cache_dir=cache_dir)
    assert list(kb.intents) == ["refund?", "human"]
    assert kb.recognizer.recognize('我要"退款", 快: #1').candidates[0].intent == "refund?"
    assert kb.recognizer.recognize("天气").rule == "out_of_scope"
