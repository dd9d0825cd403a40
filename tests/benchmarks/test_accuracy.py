import pytest

from benchmarks.accuracy import Accuracy, accuracy_lines, accuracy_of, customers_lines, measure
from benchmarks.contenders import CONTENDERS, Guess
from benchmarks.figures import Spread
from benchmarks.sets import LabelledSet
from knowledge_base.evaluation.cases import Case
from knowledge_base.evaluation.evaluation import Prediction, evaluate
from knowledge_base.recognition.loader import KnowledgeBase

QUICK = Spread(0.1, 0.2, 0.3)
CASES = (
    Case("a1", ("a",)),
    Case("a2", ("a", "b")),
    Case("b1", ("b",)),
    Case("b2", ("b",)),
    *(Case(f"stranger {n}", ()) for n in range(5)),
)


def _guesses(*sure: float) -> list[Guess]:
    """Right, right by its second label, wrong, nothing; then the strangers."""
    intents = ["a", "b", "a", None, *["a"] * 5]
    return [Guess(intent, one) for intent, one in zip(intents, sure, strict=True)]


def test_a_case_with_two_labels_is_right_with_either() -> None:
    found = accuracy_of(CASES, _guesses(0.9, 0.8, 0.7, 0, 0, 0, 0, 0, 0), query=QUICK)
    assert found.right == 0.5


def test_auroc_counts_pairs_and_ties_as_halves() -> None:
    found = accuracy_of(CASES, _guesses(0.9, 0.5, 0.1, 0, 0.5, 0.5, 0.05, 0.05, 0), query=QUICK)
    # of 5 strangers each: 5, 3 and two ties, 3, none and one tie
    assert found.auroc == pytest.approx((5 + 4 + 3 + 0.5) / 20)


def test_kept_are_right_and_surer_than_four_strangers_of_five() -> None:
    found = accuracy_of(CASES, _guesses(0.9, 0.3, 0.95, 0, 1, 0.4, 0.2, 0.1, 0), query=QUICK)
    assert found.kept == 0.25


def test_a_set_without_strangers_has_accuracy_alone() -> None:
    found = accuracy_of(CASES[:4], _guesses(1, 1, 1, 0, *[0] * 5)[:4], query=QUICK)
    assert (found.auroc, found.kept, found.cell) == (None, None, "50.0")


def test_a_cell_reads_as_in_the_published_tables() -> None:
    assert Accuracy(0.8516, 0.9101, 0.7577, 0, QUICK).cell == "85.2/.910/75.8"


def test_figures_are_those_of_kb_eval(small_kb: KnowledgeBase) -> None:
    cases = [
        *(Case(text, (name,)) for name, one in small_kb.intents.items() for text in one.tests),
        *(Case(text, ("refund_request",)) for text in ("退款", "怎么付", "钱不退吗", "不要了")),
        *(
            Case(text, ())
            for text in ("今天下雨吗", "有人想吃饭吗", "退伍军人优惠", "哈哈哈", "作业")
        ),
    ]
    report = evaluate(small_kb, cases)
    found = accuracy_of(cases, [_guess(said) for said in report.predictions], query=QUICK)
    assert found.right == report.accuracy
    assert found.auroc == pytest.approx(report.auroc)
    assert found.kept == report.kept_at_80
    assert f"  accuracy          {report.accuracy:.1%}" in list(customers_lines(report))


def _guess(said: Prediction) -> Guess:
    return Guess(said.best, said.confidence)


@pytest.mark.parametrize("contender", CONTENDERS)
def test_every_contender_learns_a_set_and_is_tried_on_it(contender: str) -> None:
    labelled = LabelledSet(
        name="toy",
        phrases=(
            ("where is my order", "order"),
            ("has my order been shipped", "order"),
            ("i want my money back", "refund"),
            ("please refund me", "refund"),
            ("do you sell gift cards", "products"),
            ("which cards do you have", "products"),
        ),
        tests=(
            Case("where is my order now", ("order",)),
            Case("give my money back", ("refund",)),
            Case("zzz", ()),
        ),
    )
    found = measure(contender, labelled)
    assert found.right == 1
    assert found.auroc == 1
    assert found.query.p50 > 0


def test_the_table_has_a_column_for_each_set_and_its_published_rows() -> None:
    one = Accuracy(0.8, 0.9, 0.7, 0, QUICK)
    lines = list(accuracy_lines({("kefu", "hint3"): one, ("kefu", "clinc150"): one}))
    assert lines[1].split("  ") != lines[2].split("  ")
    assert lines[2].split() == ["kefu", "80.0/.900/70.0", "80.0/.900/70.0"]
    assert any(line.split()[:1] == ["Dialogflow"] for line in lines)
    assert not any("BANKING77" in line for line in lines)
