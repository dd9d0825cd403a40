import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.text.homophones import fit_homophones
from knowledge_base.text.pinyin import rough, spelt_out
from scripts import new_pinyin

SHOP = fit_homophones(
    ["卡密无效", "卡密没收到", "充值没到账", "充值多久到账", "怎么充值", "卡密已使用"],
    ["今天去公园散步", "这个地方很安静"],
)


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("卡秘无效", "卡密无效"),
        ("我的卡蜜呢", "我的卡密呢"),
        ("冲值没到账", "充值没到账"),
        ("充直多久到账", "充值多久到账"),
        ("wode kami ne", "wode 卡密 ne"),
        ("chongzhi怎么没到", "充值怎么没到"),
    ],
)
def test_what_sounds_like_a_word_of_the_shop_is_read_as_that_word(heard: str, meant: str) -> None:
    assert SHOP.corrected(heard) == meant


@pytest.mark.parametrize("text", ["今天去公园散步", "卡密无效", "重置密码", "hello 123", "", "😀"])
def test_what_is_a_word_already_is_left_alone(text: str) -> None:
    assert SHOP.corrected(text) == text


@given(
    st.text(
        st.characters(exclude_characters=string.ascii_letters, exclude_categories=["Cs"]),
        max_size=60,
    )
)
def test_any_text_without_latin_letters_keeps_its_length(text: str) -> None:
    assert len(SHOP.corrected(text)) == len(text)


@given(st.text(string.ascii_letters + " 卡密", max_size=60))
def test_any_latin_word_is_accepted(text: str) -> None:
    assert SHOP.corrected(text) is not None


@pytest.mark.parametrize("word", ["hello", "where", "code", "refund", "redeem", "my"])
def test_english_words_are_no_pinyin(word: str) -> None:
    assert spelt_out(word) is None


def test_sounds_that_dialects_merge_are_one() -> None:
    assert rough("充值") == rough("冲自")
    assert rough("能") == rough("冷")
    assert rough("卡密") != rough("卡面")


def test_the_table_of_sounds_is_what_pypinyin_says() -> None:
    table = Path(new_pinyin.TABLE).read_text(encoding="utf-8")
    assert [line for line in table.splitlines() if line[0] != "#"] == [
        line for line in new_pinyin.table().splitlines() if line[0] != "#"
    ]
