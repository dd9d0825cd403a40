"""Finding products by what customers call them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.access.answers import ProductOutcome
from shop.demo.goods import demo_products
from shop.domain.catalog import search
from shop.domain.products import ProductKind
from tests.factories.shop import Shop, a_product

PRODUCTS = demo_products()


@pytest.mark.parametrize(
    ("query", "id_"),
    [
        ("Steam 钱包码 50元", "demo-steam-50"),
        ("steam50", "demo-steam-50"),
        ("Ｓｔｅａｍ 钱包码 100", "demo-steam-100"),
        ("steam钱包100块", "demo-steam-100"),
        ("王者点券", "demo-wangzhe-500"),
        ("农药点券还有吗", "demo-wangzhe-500"),
        ("原神创世结晶", "demo-genshin-6480"),
        ("原神648多少钱", "demo-genshin-6480"),
        ("网易一卡通", "demo-netease-30"),
        ("q币", "demo-qcoin-100"),
        ("QQ币", "demo-qcoin-100"),
        ("话费", "demo-phone-100"),
        ("爱奇艺会员", "demo-iqiyi-month"),
        ("腾讯视频会员月卡", "demo-tencent-video-month"),
        ("腾讯会员", "demo-tencent-video-month"),
    ],
)
def test_a_product_is_found_by_its_names(query: str, id_: str) -> None:
    found = search(PRODUCTS, query)

    assert [product.id for product in found.products] == [id_]
    assert found.is_sure


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda product: product.id)
def test_every_full_title_means_its_product(product: object) -> None:
    title = product.title  # type: ignore[attr-defined]

    assert [one.title for one in search(PRODUCTS, title).products] == [title]


@pytest.mark.parametrize("query", ["steam", "Steam钱包", "steam 20元"])
def test_a_name_that_several_share_gives_choices(query: str) -> None:
    found = search(PRODUCTS, query)

    assert {product.id for product in found.products} == {"demo-steam-50", "demo-steam-100"}
    assert not found.is_sure


def test_another_face_value_is_offered_and_not_taken_for_the_one_there_is() -> None:
    found = search(PRODUCTS, "网易一卡通 100元")

    assert "demo-netease-30" in {product.id for product in found.products}
    assert not found.is_sure


def test_a_likeness_is_asked_back() -> None:
    found = search(PRODUCTS, "腾讯视频年卡")

    assert "demo-tencent-video-month" in {product.id for product in found.products}
    assert not found.is_sure


@pytest.mark.parametrize("query", ["", "  ", "！？", "比特币矿机", "今天天气怎么样"])
def test_what_means_nothing_finds_nothing(query: str) -> None:
    assert search(PRODUCTS, query).products == ()


@given(st.text(max_size=60))
def test_any_text_can_be_searched(query: str) -> None:
    found = search(PRODUCTS, query)

    assert not found.is_sure or len(found.products) == 1


async def test_stock_decides_the_outcome(shop: Shop) -> None:
    await shop.has(
        products=(
            a_product("甲", id="a", kind=ProductKind.TOPUP, stock=21),
            a_product("乙", id="b", kind=ProductKind.MANUAL, stock=20),
            a_product("丙", id="c"),
            a_product("丁", id="d", kind=ProductKind.TOPUP, stock=5, is_open=False),
        )
    )

    answers = [await shop.gate.products(name) for name in "甲乙丙丁戊"]

    assert [one.outcome for one in answers] == [
        ProductOutcome.IN_STOCK,
        ProductOutcome.LOW_STOCK,
        ProductOutcome.SOLD_OUT,
        ProductOutcome.CLOSED,
        ProductOutcome.NONE,
    ]
    assert [one.name for one in answers[4].products] == ["甲", "乙", "丙"]


async def test_an_empty_query_lists_what_is_on_sale(shop: Shop) -> None:
    await shop.has(products=(a_product("甲", id="a"), a_product("乙", id="b", is_open=False)))

    answer = await shop.gate.products("")

    assert answer.outcome is ProductOutcome.SEVERAL
    assert [one.name for one in answer.products] == ["甲"]


async def test_prices_keep_their_four_decimals(shop: Shop) -> None:
    await shop.has(products=(a_product("甲", id="a", price="0.0349"), a_product("乙", id="b")))

    answer = await shop.gate.products("")

    assert [str(one.price) for one in answer.products] == ["0.0349", "48.80"]
