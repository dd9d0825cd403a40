import numpy as np
import pytest

from knowledge_base.model.svm import (
    Floats,
    Machine,
    fit_machine,
    gram,
    left_out_scores,
    weights,
)
from knowledge_base.model.vectorizer import Vectorizer, fit_vectorizer
from knowledge_base.recognition.loader import KnowledgeBase

C = 2.0


@pytest.fixture(scope="module")
def fitted(small_kb: KnowledgeBase) -> tuple[Vectorizer, Floats, Floats, Floats, list[Machine]]:
    texts = [phrase for phrase, _ in small_kb.material.phrases]
    classes = np.array([number for _, number in small_kb.material.phrases])
    vectorizer, rows = fit_vectorizer(texts)
    products = gram(rows)
    machines = [fit_machine(products, classes == number, c=C) for number in range(6)]
    dense = np.zeros((len(texts), rows.width), dtype=np.float32)
    for n in range(len(texts)):
        inside = slice(rows.starts[n], rows.starts[n + 1])
        dense[n, rows.columns[inside]] = rows.values[inside]
        one = vectorizer.row(texts[n])
        assert dict(zip(*(part.tolist() for part in one), strict=True)) == pytest.approx(
            dict(zip(rows.columns[inside].tolist(), rows.values[inside].tolist(), strict=True)),
            rel=1e-5,
        )
    for machine in machines:
        weight, bias = weights(rows, machine)
        by_weights = dense @ weight + bias
        by_products = products[:, machine.active] @ machine.alpha
        assert by_weights == pytest.approx(by_products, abs=1e-4)
    return vectorizer, dense, products, classes, machines


def test_inner_products_are_those_of_the_rows(
    fitted: tuple[Vectorizer, Floats, Floats, Floats, list[Machine]],
) -> None:
    _, dense, products, _, _ = fitted
    assert products == pytest.approx(dense @ dense.T + 1, abs=1e-5)


def test_it_solves_what_scikit_learns_linear_svc_solves(
    fitted: tuple[Vectorizer, Floats, Floats, Floats, list[Machine]],
) -> None:
    svm = pytest.importorskip("sklearn.svm")
    _, dense, products, classes, machines = fitted
    theirs = svm.LinearSVC(C=C, tol=1e-7, max_iter=100_000).fit(dense, classes)
    ours = np.stack([products[:, m.active] @ m.alpha for m in machines], axis=1)
    assert ours == pytest.approx(theirs.decision_function(dense), abs=5e-3)


def test_left_out_scores_are_close_to_those_of_true_refits(
    fitted: tuple[Vectorizer, Floats, Floats, Floats, list[Machine]],
) -> None:
    _, _, products, classes, machines = fitted
    block = np.array([0, 7, 20, 33, 40])
    kept = np.setdiff1d(np.arange(len(classes)), block)
    for number, machine in enumerate(machines):
        (estimated,) = left_out_scores(products, machine, [[block]])
        refit = fit_machine(products[np.ix_(kept, kept)], (classes == number)[kept], c=C)
        truly = products[np.ix_(block, kept[refit.active])] @ refit.alpha
        assert np.abs(estimated[block] - truly).max() < 0.1
