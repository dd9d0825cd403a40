import pytest

from knowledge_base.text.normalize import Normalizer
from knowledge_base.text.questions import clauses, is_polite

NORMALIZE = Normalizer().normalize


@pytest.mark.parametrize("text", ["你好", "您好，打扰一下", "谢谢老板", "hi", "🙏", "thank you!"])
def test_politeness_alone_has_no_clause(text: str) -> None:
    assert clauses(text, NORMALIZE) == ()


def test_clauses_keep_their_original_wording() -> None:
    said = clauses("您好！卡密無效怎麼辦？另外几点下班 谢谢", NORMALIZE)
    assert [one.text for one in said] == ["卡密無效怎麼辦", "另外几点下班"]


def test_words_of_english_and_numbers_stay_together() -> None:
    said = clauses("steam 50 usd in stock? price 1.50", NORMALIZE)
    assert [one.text for one in said] == ["steam 50 usd in stock", "price 1.50"]


def test_a_polite_beginning_does_not_make_a_question_polite() -> None:
    assert not is_polite("你好怎么退款")
    assert not is_polite("谢谢" * 500 + "退")
