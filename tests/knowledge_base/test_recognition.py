from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge_base.recognition.loader import KnowledgeBase
from knowledge_base.recognition.recognition import Band
from tests.factories.growth import grows_in_proportion, repeated
from tests.knowledge_base.conftest import SMALL_KB, LoadText


def best(kb: KnowledgeBase, text: str) -> str | None:
    found = kb.recognizer.recognize(text).candidates
    return found[0].intent if found else None


@pytest.mark.parametrize(
    "text", ["我要退款", " 我要退款！！", "我要退款🙏", "你好，我要退款，谢谢"]
)
def test_a_known_phrase_is_certain_whatever_stands_around_it(
    small_kb: KnowledgeBase, text: str
) -> None:
    found = small_kb.recognizer.recognize(text)
    assert (found.band, found.rule) == (Band.ANSWER, "exact")
    assert (found.candidates[0].intent, found.candidates[0].source) == ("refund_request", "exact")
    assert found.candidates[0].confidence == 1.0
    assert found.text == text


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("卡密輸進去提示錯誤", "card_invalid"),
        ("这个cdk怎么用不了", "card_invalid"),
        ("能退钱给我吗", "refund_request"),
        ("你们几点关门啊", "business_hours"),
        ("能不能用支付宝付款", "payment_methods"),
        ("我找人工客服", "human_agent"),
        ("where's my order", "order_status"),
        ("帮我查下订单到哪了", "order_status"),
    ],
)
def test_other_wordings_are_recognised(small_kb: KnowledgeBase, text: str, intent: str) -> None:
    assert best(small_kb, text) == intent


def test_a_question_is_found_in_a_long_polite_message(small_kb: KnowledgeBase) -> None:
    text = (
        "您好，打扰一下，我是昨天晚上给家里小孩买东西的那个，孩子考得不错我奖励他的，"
        "今天兑换的时候说卡密不对，麻烦您帮忙看看是怎么回事，谢谢"
    )
    assert best(small_kb, text) == "card_invalid"


@pytest.mark.parametrize("text", ["快递几天到", "能不能代写作业？"])
def test_what_the_admin_called_out_of_scope_is_not_answered(
    small_kb: KnowledgeBase, text: str
) -> None:
    found = small_kb.recognizer.recognize(text)
    assert (found.band, found.rule, found.candidates) == (Band.MISS, "out_of_scope", ())


@pytest.mark.parametrize(
    "text", ["今天天气怎么样", "讲个笑话", "", " ", "🙏🙏🙏", "？？？", "\ud800"]
)
def test_what_has_nothing_to_do_with_the_shop_is_not_answered(
    small_kb: KnowledgeBase, text: str
) -> None:
    assert small_kb.recognizer.recognize(text).band is not Band.ANSWER


def test_candidates_are_few_distinct_and_in_order(small_kb: KnowledgeBase) -> None:
    for text in ("退款", "客服在吗怎么付款", "卡密"):
        found = small_kb.recognizer.recognize(text).candidates
        assert 1 <= len(found) <= 5
        assert len({one.intent for one in found}) == len(found)
        sure = [one.confidence for one in found]
        assert sure == sorted(sure, reverse=True)
        assert all(0 <= one <= 1 for one in sure)


def test_two_questions_in_one_message_are_both_found(small_kb: KnowledgeBase) -> None:
    found = small_kb.recognizer.questions("卡密输进去提示无效怎么办？另外你们几点下班")
    assert [one.candidates[0].intent for one in found] == ["card_invalid", "business_hours"]
    assert found[1].text == "另外你们几点下班"


@pytest.mark.parametrize(
    "text",
    [
        "我要退款，退钱给我",
        "你好，在吗，转人工",
        "卡密输进去，一直提示无效，怎么都不行",
        "我要退款",
    ],
)
def test_one_question_in_several_clauses_stays_one(small_kb: KnowledgeBase, text: str) -> None:
    (found,) = small_kb.recognizer.questions(text)
    assert found == small_kb.recognizer.recognize(text)


def test_patterns_and_refusals_of_kb_yaml_are_obeyed(load_text: LoadText) -> None:
    kb = load_text(
        SMALL_KB.replace(
            "    handoff: true\n",
            "    handoff: true\n    patterns: ['^0{3}$']\n    not: [找客服拿钱]\n",
        )
    )
    assert kb.recognizer.recognize("000").rule == "pattern"
    assert best(kb, "000") == "human_agent"
    assert all(
        one.intent != "human_agent" for one in kb.recognizer.recognize("找客服拿钱").candidates
    )


def test_a_phrase_that_two_intents_claim_is_asked_back(load_text: LoadText) -> None:
    kb = load_text(SMALL_KB.replace("ask: [转人工,", "ask: [转人工, 我要退款,"))
    found = kb.recognizer.recognize("我要退款")
    assert (found.band, found.rule) == (Band.CLARIFY, "exact_conflict")
    assert {one.intent for one in found.choices[:2]} == {"refund_request", "human_agent"}


def test_thresholds_of_kb_yaml_override_the_learnt_ones(load_text: LoadText) -> None:
    kb = load_text(SMALL_KB + "thresholds: {answer: 1.0, clarify: 1.0}\n")
    assert kb.recognizer.recognize("能退钱给我吗").band is Band.MISS
    kb = load_text(SMALL_KB + "thresholds: {answer: 0.0}\n")
    assert kb.thresholds.clarify == 0.0
    assert kb.recognizer.recognize("能退钱给我吗").band is Band.ANSWER


def test_two_intents_that_are_equally_likely_are_asked_about(load_text: LoadText) -> None:
    kb = load_text(
        SMALL_KB.replace("ask: [我要退款,", "ask: [我要退款, 会员怎么弄啊,").replace(
            "ask: [转人工,", "ask: [转人工, 会员怎么弄呀,"
        )
        + "thresholds: {answer: 0.0}\n"
    )
    found = kb.recognizer.recognize("会员怎么弄")
    assert (found.band, found.rule) == (Band.CLARIFY, "close_call")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=300))
def test_any_unicode_is_accepted(small_kb: KnowledgeBase, text: str) -> None:
    assert 1 <= len(small_kb.recognizer.questions(text)) <= 3


@pytest.mark.parametrize(
    "unit", ["退", "卡密无效，", "谢谢了", "a ", "🙏", "？", "你好在吗请问一下", "aaaaaaaaaa"]
)
def test_ten_thousand_characters_take_no_more_than_their_length(
    small_kb: KnowledgeBase, unit: str
) -> None:
    long, short = f"{repeated(unit, 9_999)}X", f"{repeated(unit, 1_249)}X"
    assert grows_in_proportion(small_kb.recognizer.questions, long, short)


def test_threads_share_a_recognizer(small_kb: KnowledgeBase) -> None:
    texts = ["我要退款", "卡密输进去不对", "几点下班呀", "怎麼付款", "转人工"] * 20
    alone = [small_kb.recognizer.recognize(text) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(small_kb.recognizer.recognize, texts)) == alone


def test_a_fragment_that_goes_on_means_the_question_before_it(small_kb: KnowledgeBase) -> None:
    alone = small_kb.recognizer.questions("还是不行")[0]
    assert alone.band is not Band.ANSWER
    found = small_kb.recognizer.questions("还是不行", "卡密无效")[0]
    assert found.candidates[0].intent == "card_invalid"
    assert found.rule == "context"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text("那还是不行能退吗要多久？，卡密无效转人工abc ", max_size=30),
    before=st.text("卡密无效退款客服几点？，abc ", max_size=30),
)
def test_any_fragment_after_any_question_is_accepted(
    small_kb: KnowledgeBase, text: str, before: str
) -> None:
    found = small_kb.recognizer.questions(text, before)
    assert 1 <= len(found) <= 3
    assert all(0 <= one.confidence <= 1 for each in found for one in each.candidates)


def test_two_questions_with_their_marks_are_both_found(small_kb: KnowledgeBase) -> None:
    found = small_kb.recognizer.questions("卡密用不了啊？可以用支付宝吗？")
    assert [one.candidates[0].intent for one in found] == ["card_invalid", "payment_methods"]


def test_a_fragment_with_words_of_its_own_is_a_new_question(small_kb: KnowledgeBase) -> None:
    found = small_kb.recognizer.questions("那能退吗", "卡密无效")[0]
    assert found.candidates[0].intent == "refund_request"


@pytest.mark.parametrize("text", ["今天吃什么", "天气真好", "我要退款"])
def test_what_does_not_go_on_is_not_taken_for_the_question_before_it(
    small_kb: KnowledgeBase, text: str
) -> None:
    found = small_kb.recognizer.questions(text, "卡密无效")[0]
    assert not found.candidates or found.candidates[0].intent != "card_invalid"


def test_a_near_topic_that_the_admin_wrote_down_is_kept_apart_from_a_like_phrase(
    load_text: LoadText,
) -> None:
    near = "  - 快递到哪了\n  - 快递怎么还没到\n  - 我的快递什么情况\n"
    kb = load_text(SMALL_KB.replace("  - 快递几天到\n", "  - 快递几天到\n" + near))
    found = kb.recognizer.recognize("我的快递怎么还没有到")
    assert found.band is not Band.ANSWER


def test_a_refusal_counts_for_its_intent_alone(load_text: LoadText) -> None:
    refusing = "    handoff: true\n    not: [客服几点下班啊]\n"
    kb = load_text(SMALL_KB.replace("    handoff: true\n", refusing))
    found = kb.recognizer.recognize("客服几点下班啊")
    assert found.candidates[0].intent == "business_hours"
