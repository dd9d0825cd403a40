from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.text.slots import (
    Found,
    amounts,
    card_secrets,
    emails,
    order_numbers,
    phones,
    qq_numbers,
)
from tests.factories.growth import grows_in_proportion, repeated

READERS = [order_numbers, card_secrets, phones, emails, qq_numbers, amounts]
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def values(found: tuple[Found, ...]) -> list[str]:
    return [one.value for one in found]


@pytest.mark.parametrize(
    "text",
    [
        "DD-7KQ2M-8XD41-VN09C-HTABC",
        "dd7kq2m8xd41vn09chtabc到了吗",
        "我的订单ＤＤ－7KQ2M 8XD41 VNO9C HTABC帮查下",
        "单号：DD 7KQ2M8XD4I VNo9C—HTABC。",
    ],
)
def test_our_order_number_is_read_however_it_was_typed(text: str) -> None:
    (found,) = order_numbers(text)
    assert (found.value, found.kind) == ("DD7KQ2M8XD41VN09CHTABC", "ours")


@given(
    st.text(alphabet=CROCKFORD, min_size=20, max_size=20),
    st.text(alphabet="我的订单，。 没到！\n", max_size=20),
    st.text(alphabet="我的订单，。 没到！\n", max_size=20),
    st.sampled_from(["", " ", "-", " - ", "."]),
)
def test_our_order_number_is_found_inside_any_sentence(
    symbols: str, before: str, after: str, between: str
) -> None:
    written = between.join(["DD", symbols[:5], symbols[5:10], symbols[10:15], symbols[15:]])
    found = order_numbers(before + written + after)
    if between != " - ":  # two signs at most stand between symbols; this one has three
        assert values(found) == ["DD" + symbols]
        assert (found[0].start, found[0].end) == (len(before), len(before) + len(written))


def test_numbers_of_other_shop_systems_are_told_apart() -> None:
    assert [(one.value, one.kind) for one in order_numbers("ABCD1234EFGH5678")] == [
        ("ABCD1234EFGH5678", "dujiaoka")
    ]
    assert [(one.value, one.kind) for one in order_numbers("１２４261103998877665")] == [
        ("124261103998877665", "acg_faka")
    ]
    assert values(order_numbers("麻煩把 #33871 作廢")) == ["33871"]
    assert values(order_numbers("20261103998877665 先别发货")) == ["20261103998877665"]


@pytest.mark.parametrize(
    "text", ["我买了100块的", "2026年10月1日", "13812345678", "hello", "dd没变化"]
)
def test_what_is_no_order_number_is_left_alone(text: str) -> None:
    assert order_numbers(text) == ()


def test_card_secrets_are_read_in_groups_or_solid_or_by_name() -> None:
    assert values(card_secrets("star-7kq2-m8xd-41vn-9cht 用不了")) == ["STAR-7KQ2-M8XD-41VN-9CHT"]
    assert values(card_secrets("查一下 AB3K 99QW 7712 这张")) == ["AB3K99QW7712"]
    assert values(card_secrets("卡密是 1234 5678 9012")) == ["123456789012"]
    assert values(card_secrets("A1B2C3D4E5F6")) == ["A1B2C3D4E5F6"]


@pytest.mark.parametrize(
    "text",
    [
        "where do i enter the steam code please",
        "DD-7KQ2M-8XD41-VN09C-HTABC",
        "abc123456789@example.com",
        "卡密无效怎么办",
    ],
)
def test_words_order_numbers_and_mails_are_no_card_secrets(text: str) -> None:
    assert card_secrets(text) == ()


def test_contacts_are_read_with_their_place_in_the_original() -> None:
    text = "手机１３８ 1234 5678，邮箱Ａbc@qq．com，QQ号：12345678"
    assert values(phones(text)) == ["13812345678"]
    assert values(emails(text)) == ["abc@qq.com"]
    assert values(qq_numbers(text)) == ["12345678"]
    (mail,) = emails(text)
    assert text[mail.start : mail.end] == "Ａbc@qq．com"


def test_amounts_know_their_currency() -> None:
    assert [(one.value, one.kind) for one in amounts("付了￥1,100.50，还有20块，50 usd")] == [
        ("1100.50", "cny"),
        ("20", "cny"),
        ("50", "usd"),
    ]


@pytest.mark.parametrize("read", READERS)
@given(st.text(max_size=120))
def test_any_text_is_read_and_places_lie_inside_it(
    read: Callable[[str], tuple[Found, ...]], text: str
) -> None:
    ends = 0
    for found in read(text):
        assert ends <= found.start < found.end <= len(text)
        assert found.value
        ends = found.end


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("unit", ["A1", "1 ", "DD", "A-1-", "卡密 ", "a.a@", "DD 1", "AB12 "])
def test_long_texts_take_no_more_than_their_length(
    read: Callable[[str], tuple[Found, ...]], unit: str
) -> None:
    assert grows_in_proportion(read, repeated(unit, 10_000), repeated(unit, 1_250))
