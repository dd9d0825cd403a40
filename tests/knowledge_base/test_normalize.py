from hypothesis import example, given
from hypothesis import strategies as st

from knowledge_base.text.normalize import Normalizer

PLAIN = Normalizer()
SHOP = Normalizer(
    [("卡密", "卡蜜", "兑换码", "cdk", "km"), ("充值", "冲值"), ("订单", "定单", "dd")]
)
CIRCLE = Normalizer([("甲乙", "乙"), ("乙甲", "甲")])


@given(st.text(max_size=200))
@example("ß\u0301")
@example("İ")
@example("\ud800")
@example("乾乾隆著作")
@example("CDKcdk卡 蜜冲值")
def test_normalizing_twice_changes_nothing(utterance: str) -> None:
    for normalizer in (PLAIN, SHOP):
        once = normalizer.normalize(utterance)
        assert normalizer.normalize(once) == once


@given(st.text(alphabet="甲乙丙 ", max_size=30))
def test_synonyms_that_feed_each_other_do_not_run_away(utterance: str) -> None:
    once = CIRCLE.normalize(utterance)
    assert CIRCLE.normalize(once) == once


def test_width_case_script_and_space_are_folded() -> None:
    assert PLAIN.normalize("  ＣＤＫ　沒收到\u200b ") == "cdk 没收到"


def test_synonyms_become_the_first_word_of_their_group() -> None:
    assert SHOP.normalize("我的CDK") == SHOP.normalize("我的卡蜜") == "我的卡密"


def test_latin_synonyms_match_whole_words_only() -> None:
    assert SHOP.normalize("km没给我") == "卡密没给我"
    assert SHOP.normalize("kmart") == "kmart"


def test_a_longer_word_is_not_cut_by_a_synonym_inside_it() -> None:
    normalizer = Normalizer([("充值卡密", "卡密")])
    assert normalizer.normalize("充值卡密呢") == "充值卡密呢"
