"""Whatever runs on a customer's text takes time in proportion to its length, for any text."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.dialogue.memory import Memory
from bot.sealing.finder import secrets_in
from bot.tools.registry import TOOL_SPECS
from bot.turn import reading
from bot.turn.fragments import looks_unfinished
from connectors.delivery.chunking import chunks
from connectors.delivery.rendering import as_html
from connectors.web.frames import MAX_TEXT_CHARS
from knowledge_base.recognition.exact import exact_key
from knowledge_base.text import questions, slots
from knowledge_base.text.homophones import fit_homophones
from knowledge_base.text.masks import masked
from knowledge_base.text.normalize import MAX_CHARS, Normalizer
from tests.factories.growth import SHARE, grows_in_proportion, is_within, repeated

NORMALIZER = Normalizer([("卡密", "cdk", "卡蜜"), ("充值", "冲值")])
HOMOPHONES = fit_homophones(["卡密在哪", "卡密没到", "我要退款", "怎么退款"], ["今天天气"])
READ = reading.SlotReaders.of(TOOL_SPECS).read
READERS: dict[str, Callable[[str], object]] = {
    "normalize": NORMALIZER.normalize,
    "masked": masked,
    "homophones": HOMOPHONES.corrected,
    "order_numbers": slots.order_numbers,
    "card_secrets": slots.card_secrets,
    "phones": slots.phones,
    "emails": slots.emails,
    "qq_numbers": slots.qq_numbers,
    "amounts": slots.amounts,
    "clauses": lambda text: questions.clauses(text, NORMALIZER.normalize),
    "announced": questions.announced,
    "asked": questions.asked,
    "is_polite": questions.is_polite,
    "exact_key": exact_key,
    "read": lambda text: READ(text, Memory()),
    "secrets_in": secrets_in,
    "is_english": lambda text: reading.is_english(text, was_english=False),
    "looks_unfinished": lambda text: looks_unfinished(text, is_understood=False),
    # the short text is cut as well, or there is nothing to compare with
    "chunks": lambda text: chunks(text, 100, "bytes"),
    "as_html": lambda text: as_html(text, ["A1", "好"]),
}
CRUMBS = (
    *(
        "￥1",
        "1元",
        "1 ",
        "1-",
        "1,",
        "1,111",
        "1.",
        "$1",
        "usd 1",
        "A1 ",
        "A1-",
        "a1b2c3d4e5",
        "DD",
    ),
    *(
        "DD-",
        "DD1",
        "a@",
        "a@b.",
        "a@b.c",
        "http://",
        "www.",
        "QQ号",
        "Q号1",
        "卡密",
        "卡密1",
        "密码:",
    ),
    *("订单号1", "#", "#1", "order no", "ﷺ", "㍿", "½", "①", "１２", "ß", "İ", "a\u0301", "\u0301"),
    *(
        "\u200b",
        "\u200b1",
        "\n",
        "  ",
        "1\u3000",
        "<",
        "a(",
        "好，",
        "？",
        "谢谢",
        "对了",
        "卡",
        "卡秘",
    ),
    *(
        "tuikuan",
        "🙏",
        "👨\u200d👩\u200d👧",
        "🇨🇳",
        "138",
        "13800138000",
        "1380013800O",
        "86 1",
        "是",
        "aa",
        "1元http://",
        "DD-ABCDE-FGHJK-MNPQR-STVWX ",
    ),
)
LONG = MAX_TEXT_CHARS
ORDINARY = (
    "你好，我昨天晚上在你们店里买了一张点卡，付款以后一直没有收到卡密，订单号是"
    " 20261103998877665，用支付宝付了 98 元，麻烦帮我查一下到底怎么回事。"
)
DEARER = 8
"""No more times as dear as ordinary words: ﷺ and ￥1 were 75 times, now 2.5 times at most."""


def is_proportional(run: Callable[[str], object], crumb: str) -> bool:
    return grows_in_proportion(run, repeated(crumb, LONG), repeated(crumb, LONG // SHARE))


@pytest.mark.parametrize("name", READERS)
def test_a_text_eight_times_as_long_takes_about_eight_times_as_long(name: str) -> None:
    assert [crumb for crumb in CRUMBS if not is_proportional(READERS[name], crumb)] == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(CRUMBS), min_size=1, max_size=4))
def test_no_mixture_of_crumbs_takes_more_than_its_length(crumbs: list[str]) -> None:
    crumb = "".join(crumbs)
    assert [name for name, run in READERS.items() if not is_proportional(run, crumb)] == []


@pytest.mark.parametrize("crumb", CRUMBS)
@pytest.mark.parametrize("name", ["read", "normalize"])
def test_no_crumb_is_much_dearer_than_ordinary_words(name: str, crumb: str) -> None:
    run = READERS[name]
    text, ordinary = repeated(crumb, LONG), repeated(ORDINARY, LONG)
    assert is_within(DEARER, lambda: run(text), lambda: run(ordinary))


def test_what_grows_by_folding_is_cut_before_and_after() -> None:
    assert len(NORMALIZER.normalize("ﷺ" * LONG)) <= MAX_CHARS
    assert slots._fold("ﷺ" * LONG).text == " " * LONG


def test_the_test_would_notice_work_that_grows_with_the_square() -> None:
    def quadratic(text: str) -> None:
        for _ in text:
            text.count("x")

    assert not is_proportional(quadratic, "a")
