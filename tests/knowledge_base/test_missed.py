"""What was missed, alike things together."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from knowledge_base.evaluation.clusters import cluster
from knowledge_base.evaluation.missed import Advice, Missed, masked_for_people
from knowledge_base.evaluation.missed_report import as_text, told
from knowledge_base.recognition.loader import KnowledgeBase
from knowledge_base.recognition.recognition import Thresholds

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
GIFT_CARDS = ("可以代写贺卡吗", "能代写贺卡么", "帮我代写一张贺卡")
STREAM = ("直播间的活动还有吗", "直播间那个活动还有没有")


def with_thresholds(kb: KnowledgeBase, answer: float, clarify: float) -> KnowledgeBase:
    thresholds = Thresholds(answer, clarify)
    recognizer = replace(kb.recognizer, thresholds=thresholds)
    return replace(kb, recognizer=recognizer, thresholds=thresholds)


@pytest.fixture
def strict_kb(small_kb: KnowledgeBase) -> KnowledgeBase:
    """Understands its own phrases, word for word, and nothing else."""
    return with_thresholds(small_kb, 2.0, 2.0)


@pytest.fixture
def wary_kb(small_kb: KnowledgeBase) -> KnowledgeBase:
    """Asks back about everything that is not a phrase of its own."""
    return with_thresholds(small_kb, 2.0, 0.0)


def said(*texts: str, first: int = 0, **more: object) -> list[Missed]:
    return [
        Missed(text, NOW - timedelta(hours=n), conversation=f"c{n}", **more)  # type: ignore[arg-type]
        for n, text in enumerate(texts, first)
    ]


def test_alike_utterances_are_one_cluster_and_the_biggest_comes_first(
    strict_kb: KnowledgeBase,
) -> None:
    found = cluster(strict_kb, said(*STREAM, *GIFT_CARDS))
    assert [one.size for one in found.clusters] == [3, 2]
    cards = found.clusters[0]
    assert {cards.representative, *cards.examples} == set(GIFT_CARDS)
    assert cards.customers == 3
    assert cards.last_at == NOW - timedelta(hours=2)
    assert found.size == 5


def test_the_order_in_which_they_come_changes_nothing(strict_kb: KnowledgeBase) -> None:
    missed = said(*STREAM, *GIFT_CARDS, "阿巴阿巴", *GIFT_CARDS)
    expected = cluster(strict_kb, missed)
    for seed in range(5):
        shuffled = random.Random(seed).sample(missed, len(missed))  # noqa: S311 - not for secrets
        assert cluster(strict_kb, shuffled) == expected


def test_the_same_wording_counts_each_time_and_is_shown_once(strict_kb: KnowledgeBase) -> None:
    (one,) = cluster(
        strict_kb, said("可以代写贺卡吗", "可以代写贺卡吗？", " 可以代写賀卡嗎")
    ).clusters
    assert (one.size, one.customers, one.examples) == (3, 3, ())


def test_what_the_knowledge_base_answers_by_now_is_left_out(strict_kb: KnowledgeBase) -> None:
    found = cluster(strict_kb, said("我要退款", "快递几天到", "可以代写贺卡吗"))
    assert [one.representative for one in found.clusters] == ["可以代写贺卡吗"]
    assert found.answered_now == 2


def test_what_customers_chose_afterwards_decides_where_the_phrase_belongs(
    strict_kb: KnowledgeBase,
) -> None:
    missed = [*said(*GIFT_CARDS), *said("能写贺卡么", first=5, chosen="payment_methods")]
    (one,) = cluster(strict_kb, missed).clusters
    assert (one.advice, one.intent, one.chosen) == (Advice.ADD_PHRASE, "payment_methods", 1)


def test_a_choice_of_an_intent_that_is_gone_counts_nothing(strict_kb: KnowledgeBase) -> None:
    (one,) = cluster(strict_kb, said(*GIFT_CARDS, chosen="taken_out")).clusters
    assert one.chosen == 0
    assert one.intent != "taken_out"


def test_what_is_asked_back_about_is_to_be_added_to_the_nearest_intent(
    wary_kb: KnowledgeBase,
) -> None:
    (one,) = cluster(wary_kb, said("我要把款退掉", "我想要把款退掉")).clusters
    assert (one.advice, one.intent, one.nearest) == (
        Advice.ADD_PHRASE, "refund_request", "refund_request",
    )  # fmt: skip
    assert 0 < one.confidence <= 1
    assert "refund_request（申请退款）" in told(one, wary_kb)


def test_what_one_customer_said_can_wait_and_what_many_said_cannot(
    strict_kb: KnowledgeBase,
) -> None:
    (alone,) = cluster(strict_kb, said(GIFT_CARDS[0])).clusters
    (often,) = cluster(strict_kb, said(*GIFT_CARDS)).clusters
    assert alone.advice is Advice.WAIT
    assert often.advice in {Advice.NEW_INTENT, Advice.OUT_OF_SCOPE}


def test_nothing_and_no_words_are_no_cluster(strict_kb: KnowledgeBase) -> None:
    found = cluster(strict_kb, said("？？", "{{secret:01ARZ3NDEKTSV4RRFFQ69G5FAV}}"))
    assert found.clusters == ()
    assert "没有机器人没听懂的话" in as_text(found, strict_kb, days=7)


@pytest.mark.parametrize(
    "secret",
    [
        "{{secret:01ARZ3NDEKTSV4RRFFQ69G5FAV}}",
        "DD-4K8ZP-92MQX-7T1VC-H60RA",
        "20261103998877665",
        "13812345678",
        "138 1234 5678",
        "me@example.com",
        "STAR-7KQ2-M8XD",
        "482913",
        "１２３４５６",
        "abc123def",
        "https://pay.example.com/o?id=77",
    ],
)
def test_secrets_numbers_and_contacts_are_shown_nowhere(
    strict_kb: KnowledgeBase, secret: str
) -> None:
    said_with_it = f"这个 {secret} 可以代写贺卡吗"
    shown = masked_for_people(said_with_it)
    assert secret not in shown
    assert "可以代写贺卡吗" in shown
    found = cluster(strict_kb, said(said_with_it))
    assert secret not in as_text(found, strict_kb, days=30)
    assert secret not in str(found.as_json())
    assert secret not in repr(said(said_with_it))


def test_what_a_terminal_would_obey_is_not_shown() -> None:
    assert masked_for_people("贺卡\x1b[2J\u202e 能\n代写\x07吗") == "贺卡[2J 能 代写吗"


def test_a_story_is_cut_short() -> None:
    shown = masked_for_people("讲个故事" * 100)
    assert len(shown) == 60
    assert shown.endswith("…")


def test_the_list_says_how_often_which_words_and_what_to_do(strict_kb: KnowledgeBase) -> None:
    missed = [*said(*GIFT_CARDS), *said("猫粮多少斤", "我要退款", first=9)]
    text = as_text(cluster(strict_kb, missed), strict_kb, days=30)
    assert "最近 30 天，4 位顾客的 4 句话" in text
    assert "3 句，3 位顾客，最近一次 11 月 23 日" in text
    assert "out_of_scope" in text
    assert "只有一位顾客说过的 1 类" in text
    assert "另外 1 句，现在的知识库已经能处理" in text
