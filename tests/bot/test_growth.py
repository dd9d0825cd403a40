"""Whatever runs on a customer's text takes time in proportion to its length, for any text."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import reading
from bot.fragments import looks_unfinished
from bot.memory import Memory
from bot.sealing import secrets_in
from connectors.text.chunking import chunks
from connectors.text.rendering import as_html
from connectors.web.frames import MAX_TEXT_CHARS
from knowledge_base import questions, slots
from knowledge_base.exact import exact_key
from knowledge_base.homophones import fit_homophones
from knowledge_base.masks import masked
from knowledge_base.normalize import MAX_CHARS, Normalizer

NORMALIZER = Normalizer([("卡密", "cdk", "卡蜜"), ("充值", "冲值")])
HOMOPHONES = fit_homophones(["卡密在哪", "卡密没到", "我要退款", "怎么退款"], ["今天天气"])
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
    "read": lambda text: reading.read(text, Memory()),
    "secrets_in": secrets_in,
    "is_english": lambda text: reading.is_english(text, was_english=False),
    "looks_unfinished": lambda text: looks_unfinished(text, is_understood=False),
    "chunks": lambda text: chunks(text, 600, "bytes"),
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
    ),
)
LONG = MAX_TEXT_CHARS
SHARE = 8
WITHIN = 2.5
"""Two and a half times its proportion is noise; growth with the square would be eight times."""
TOO_SHORT_TO_TELL_S = 0.004


def repeated(crumb: str, length: int) -> str:
    return (crumb * (length // len(crumb) + 1))[:length]


def work_s(run: Callable[[str], object], text: str) -> float:
    """CPU time of this thread: what else runs on the machine does not count."""
    for reader in (slots.order_numbers, slots.card_secrets, slots._fold):
        reader.cache_clear()
    started = time.thread_time()
    run(text)
    return time.thread_time() - started


def grows_in_proportion(run: Callable[[str], object], crumb: str) -> bool:
    for _ in range(3):
        long_s = work_s(run, repeated(crumb, LONG))
        short_s = work_s(run, repeated(crumb, LONG // SHARE))
        if long_s < TOO_SHORT_TO_TELL_S or long_s < short_s * SHARE * WITHIN:
            return True
    return False


@pytest.mark.parametrize("name", READERS)
def test_a_text_eight_times_as_long_takes_about_eight_times_as_long(name: str) -> None:
    assert [crumb for crumb in CRUMBS if not grows_in_proportion(READERS[name], crumb)] == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(CRUMBS), min_size=1, max_size=4))
def test_no_mixture_of_crumbs_takes_more_than_its_length(crumbs: list[str]) -> None:
    def everything(text: str) -> None:
        for run in READERS.values():
            run(text)

    assert grows_in_proportion(everything, "".join(crumbs))


@pytest.mark.parametrize("crumb", CRUMBS)
def test_the_longest_message_is_read_within_a_tenth_of_a_second(crumb: str) -> None:
    # 0.8 s before, for ﷺ and ￥1: a message of a few kB took a core
    text = repeated(crumb, LONG)
    assert work_s(READERS["read"], text) < 0.1
    assert work_s(READERS["normalize"], text) < 0.1


def test_what_grows_by_folding_is_cut_before_and_after() -> None:
    assert len(NORMALIZER.normalize("ﷺ" * LONG)) <= MAX_CHARS
    assert slots._fold("ﷺ" * LONG).text == " " * LONG


def test_the_test_would_notice_work_that_grows_with_the_square() -> None:
    def quadratic(text: str) -> None:
        for _ in text:
            text.count("x")

    assert not grows_in_proportion(quadratic, "a")
