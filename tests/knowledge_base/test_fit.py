"""What is served is what scikit-learn fitted, and left-out scores are those of true refits."""

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from knowledge_base.model.arrays import Floats
from knowledge_base.model.fit import fit
from knowledge_base.model.fitted import Model
from knowledge_base.model.lesson import EVERYDAY, Lesson, lesson_of
from knowledge_base.model.linear import C, fit_class, left_out_margins
from knowledge_base.model.material import Material
from knowledge_base.model.vectorizer import Vectorizer
from knowledge_base.recognition.loader import KnowledgeBase

UNSEEN = ["我买的卡密用不了啊", "什么时候能退钱", "喵", "can i pay by card", "订单到哪了", ""]


@pytest.fixture(scope="module")
def learnt(small_kb: KnowledgeBase) -> tuple[Vectorizer, Lesson]:
    return lesson_of(small_kb.material)


def served(model: Model, text: str) -> Floats:
    columns, values = model.vectorizer.row(text)
    margins: Floats = values @ model.weights[columns] + model.bias
    return margins


def dense(vectorizer: Vectorizer, text: str) -> Floats:
    row = np.zeros(len(vectorizer.vocabulary), dtype=np.float32)
    columns, values = vectorizer.row(text)
    row[columns] = values
    return row


def test_serving_computes_what_scikit_learn_decides(
    small_kb: KnowledgeBase, learnt: tuple[Vectorizer, Lesson]
) -> None:
    vectorizer, lesson = learnt
    machine = LinearSVC(C=C, tol=1e-6, random_state=0).fit(lesson.rows, lesson.classes)
    texts = [*UNSEEN, *lesson.texts[::20]]
    wanted = machine.decision_function(np.stack([dense(vectorizer, text) for text in texts]))
    model = small_kb.recognizer.model
    assert np.stack([served(model, text) for text in texts]) == pytest.approx(wanted, abs=5e-3)


def test_rows_of_a_fit_are_those_that_serving_makes(learnt: tuple[Vectorizer, Lesson]) -> None:
    vectorizer, lesson = learnt
    served_rows = np.stack([dense(vectorizer, text) for text in lesson.texts[:80]])
    assert np.abs(lesson.rows[:80].toarray() - served_rows).max() < 1e-6


def test_left_out_margins_are_close_to_those_of_true_refits(
    learnt: tuple[Vectorizer, Lesson],
) -> None:
    _, lesson = learnt
    partitions = lesson.folds(), lesson.groups()
    differences = []
    for number in range(lesson.width + 1):
        members, heard = lesson.classes == number, lesson.heard_by(number)
        weight, bias = fit_class(lesson.rows, members)
        whole = lesson.rows @ weight + bias
        for blocks, found in zip(
            partitions,
            left_out_margins(lesson.rows, members, heard, whole, partitions),
            strict=True,
        ):
            for block in blocks:
                weight, bias = fit_class(lesson.rows[~block], members[~block])
                differences.append(np.abs(lesson.rows[block] @ weight + bias - found[block]))
    assert np.concatenate(differences).mean() < 0.02


def test_every_phrase_is_left_out_once_and_titles_stay(learnt: tuple[Vectorizer, Lesson]) -> None:
    _, lesson = learnt
    times = np.sum(lesson.folds(), axis=0)
    is_title = (np.arange(len(times)) >= lesson.asked) & (lesson.classes < lesson.width)
    assert (times == np.where(is_title, 0, 1)).all()


def test_every_intent_is_left_out_once_and_whole(learnt: tuple[Vectorizer, Lesson]) -> None:
    _, lesson = learnt
    groups = lesson.groups()
    assert (np.sum(groups, axis=0) == (lesson.classes < lesson.width)).all()
    for number in range(lesson.width):
        assert sum(group[lesson.classes == number].all() for group in groups) == 1
    assert all(len(np.unique(lesson.classes[group])) < lesson.width for group in groups)


def test_everyday_phrases_that_customers_may_say_are_not_learnt() -> None:
    everyday = ("今天天气真好", "我想退款了", *(f"第{n}号选手" for n in range(2 * EVERYDAY)))
    _, lesson = lesson_of(a_material(background=everyday))
    assert "我想退款了" not in lesson.texts
    assert np.count_nonzero(lesson.classes == lesson.width) == EVERYDAY


def test_the_same_material_gives_the_same_model(small_kb: KnowledgeBase) -> None:
    once, again = fit(small_kb.material), fit(small_kb.material)
    assert np.abs(once.weights - again.weights).max() < 1e-3
    assert (once.answer, once.clarify) == pytest.approx((again.answer, again.clarify), abs=0.02)


def test_a_draft_has_the_weights_of_the_model_and_comes_first(small_kb: KnowledgeBase) -> None:
    drafts: list[Model] = []
    model = fit(small_kb.material, on_draft=drafts.append)
    (draft,) = drafts
    assert (draft.weights == model.weights).all()
    assert not len(draft.trial.best)


@pytest.mark.parametrize(
    "material",
    [
        {"phrases": (), "background": ()},
        {"background": ()},
        {"phrases": (("我想退款", 0),), "intents": ("refund",), "titles": ("退款",)},
        {"refused": (("怎么付款才能退款", 0),)},
    ],
)
def test_the_smallest_shop_can_be_fitted(material: dict[str, tuple[object, ...]]) -> None:
    model = fit(a_material(**material))
    assert np.isfinite(served(model, "我想退款")).all()
    assert 0 < model.clarify <= model.answer < 1


def a_material(**parts: object) -> Material:
    shop: dict[str, object] = {
        "intents": ("refund", "pay"),
        "phrases": (("我想退款", 0), ("怎么付款", 1)),
        "titles": ("退款", "付款"),
        "refused": (),
        "outside": (),
        "background": ("今天天气真好", "早饭吃了吗"),
    }
    return Material(**{**shop, **parts})  # type: ignore[arg-type]
