"""What the bot decides to do: values in, values out, no database and no knowledge base."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.dialogue.actions import (
    Answer,
    Ask,
    Clarify,
    Fallback,
    HandOff,
    Locate,
    Remark,
    Run,
    action_name,
)
from bot.dialogue.decide import VERIFY
from bot.dialogue.memory import Memory, PendingTool
from knowledge_base.recognition.recognition import Band
from knowledge_base.source.intent import IntentId
from tests.factories.dialogue import CARD, NUMBER, OTHER_NUMBER, PASSWORD, Talk, recognised

ASKS = {
    "查单": recognised("order_status"),
    "补发": recognised("order_resend"),
    "充值没到": recognised("topup_not_arrived"),
    "卡用不了": recognised("card_status"),
    "有货吗": recognised("product_stock"),
    "付款": recognised("payment_methods"),
    "多久": recognised("delivery_time"),
    "无效": recognised("card_invalid"),
    "你好": recognised("greeting"),
    "谢谢": recognised("thanks"),
    "退款": recognised("refund_request"),
    "人工": recognised("human_agent"),
    "什么情况": recognised("order_status", "card_status", band=Band.CLARIFY),
    "哪一个": recognised("payment_methods", "delivery_time", band=Band.CLARIFY),
}


PROOF_ASKED = Memory(
    pending=PendingTool(
        "card_resend", "order_resend", "proof", {"order_number": NUMBER}, is_secret=True
    )
)


@pytest.fixture
def talk() -> Talk:
    return Talk(ASKS)


def test_a_sure_question_is_answered(talk: Talk) -> None:
    assert talk.says("怎么付款").actions == (Answer(IntentId("payment_methods")),)


def test_close_candidates_are_asked_back(talk: Talk) -> None:
    choices = (IntentId("payment_methods"), IntentId("delivery_time"))
    assert talk.says("哪一个").actions == (Clarify(choices),)


def test_a_number_with_its_password_is_looked_up_whatever_its_words_resemble(talk: Talk) -> None:
    (action,) = talk.says(f"付款密码 {PASSWORD} 单号 {NUMBER}").actions
    assert isinstance(action, Run)
    assert action.slots == {"order_number": NUMBER}
    assert action.secrets["proof"].get_secret_value() == PASSWORD


def test_two_questions_are_answered_in_their_order(talk: Talk) -> None:
    actions = talk.says("付款以后多久").actions
    assert actions == (Answer(IntentId("payment_methods")), Answer(IntentId("delivery_time")))


def test_a_greeting_before_a_question_is_not_answered_by_itself(talk: Talk) -> None:
    assert talk.says("你好，怎么付款").actions == (Answer(IntentId("payment_methods")),)


def test_who_is_handed_to_a_person_is_asked_for_nothing_more(talk: Talk) -> None:
    assert talk.says("查单，还要退款").actions == (HandOff("intent", IntentId("refund_request")),)
    assert talk.memory.pending is None


def test_the_second_miss_in_a_row_calls_a_person(talk: Talk) -> None:
    assert talk.says("呜噜呜噜").actions == (Fallback(),)
    assert talk.says("啊吧啊吧").actions == (HandOff("two_misses"),)


def test_an_answer_between_two_misses_begins_the_count_anew(talk: Talk) -> None:
    talk.says("呜噜呜噜")
    talk.says("怎么付款")
    assert talk.says("啊吧啊吧").actions == (Fallback(),)


def test_the_same_question_three_times_calls_a_person_and_a_greeting_never_does(
    talk: Talk,
) -> None:
    given = [action_name(talk.says("怎么付款").actions[0]) for _ in range(3)]
    assert given == ["answer", "answer", "handoff"]
    assert {action_name(talk.says("你好").actions[0]) for _ in range(5)} == {"answer"}


def test_an_order_is_asked_for_and_its_number_runs_the_tool(talk: Talk) -> None:
    assert talk.says("查单").actions == (
        Ask("order_lookup", "order_number", IntentId("order_status")),
    )
    (run,) = talk.says(f"是 {NUMBER} 吧").actions
    assert isinstance(run, Run)
    assert (run.tool, dict(run.slots)) == ("order_lookup", {"order_number": NUMBER})
    assert talk.memory.pending is None


def test_number_and_password_in_one_message_are_told_apart(talk: Talk) -> None:
    (run,) = talk.says(f"补发 {NUMBER} 密码 {PASSWORD}").actions
    assert isinstance(run, Run)
    assert dict(run.slots) == {"order_number": NUMBER}
    assert {name: one.get_secret_value() for name, one in run.secrets.items()} == {
        "proof": PASSWORD
    }


def test_a_bare_number_asks_where_the_order_stands(talk: Talk) -> None:
    (run,) = talk.says(NUMBER).actions
    assert isinstance(run, Run)
    assert (run.tool, run.intent) == ("order_lookup", "order_status")


def test_a_bare_number_means_what_was_spoken_of_last(talk: Talk) -> None:
    talk.says(f"补发 {NUMBER}")
    (run,) = talk.says(OTHER_NUMBER).actions
    assert isinstance(run, Run)
    assert (run.tool, run.intent) == ("card_resend", "order_resend")


def test_a_card_in_the_message_decides_between_close_candidates(talk: Talk) -> None:
    decision = talk.says(f"什么情况 {CARD}")
    (run,) = decision.actions
    assert isinstance(run, Run)
    assert run.tool == "card_status"
    assert decision.recognitions[0].rule == "entity"


@pytest.mark.parametrize(("turns", "is_meant"), [(0, True), (2, True), (3, False)])
def test_an_order_that_was_spoken_of_is_meant_for_three_turns(
    turns: int, *, is_meant: bool
) -> None:
    talk = Talk(ASKS)
    talk.memory = Memory().having_spoken_of({"order_number": NUMBER}, "delivered")
    for _ in range(turns):
        talk.says("怎么付款多久")
    (action,) = talk.says("查单").actions
    assert isinstance(action, Run) is is_meant


def test_a_missing_topup_is_not_the_card_order_that_was_spoken_of(talk: Talk) -> None:
    talk.memory = Memory().having_spoken_of({"order_number": NUMBER}, "delivered")
    assert isinstance(talk.says("充值没到").actions[0], Ask)
    talk.memory = Memory().having_spoken_of({"order_number": NUMBER}, "topup_stuck")
    assert isinstance(talk.says("充值没到").actions[0], Run)


def test_a_product_is_named_by_the_question(talk: Talk) -> None:
    talk.memory = Memory().having_spoken_of({"product": "Steam 50"}, "in_stock")
    (run,) = talk.says("有货吗").actions
    assert isinstance(run, Run)
    assert (dict(run.slots), dict(run.spoken_of)) == (
        {"product": "有货吗"},
        {"product": "Steam 50"},
    )


def test_another_question_is_answered_and_the_first_one_resumed(talk: Talk) -> None:
    talk.says("查单")
    answer, resumed = talk.says("怎么付款").actions
    assert answer == Answer(IntentId("payment_methods"))
    assert resumed == Ask("order_lookup", "order_number", IntentId("order_status"), why="resume")


def test_thanks_end_a_question(talk: Talk) -> None:
    talk.says("查单")
    assert talk.says("谢谢").actions == (Answer(IntentId("thanks")),)
    assert talk.memory.pending is None


@pytest.mark.parametrize("words", ["算了", "算了吧。", "取消", "Never mind!", "cancel"])
def test_a_question_can_be_cancelled(talk: Talk, words: str) -> None:
    talk.says("查单")
    assert talk.says(words).actions == (Remark("cancelled"),)
    assert talk.memory.pending is None


def test_the_third_answer_without_a_value_calls_a_person(talk: Talk) -> None:
    talk.says("查单")
    given = [action_name(talk.says("呜噜呜噜").actions[0]) for _ in range(3)]
    assert given == ["ask_slot:order_number", "ask_slot:order_number", "handoff"]


def test_who_has_no_number_is_told_where_it_stands(talk: Talk) -> None:
    talk.says("查单")
    assert talk.says("我没有订单号啊").actions == (Locate("order_lookup", "order_number"),)


@pytest.mark.parametrize("typed", ["my-password", "付款1024", "2024"])
def test_whatever_is_typed_for_a_password_is_tried(typed: str) -> None:
    talk = Talk({"my-password": recognised("payment_methods")})
    talk.memory = Memory(
        pending=PendingTool("card_resend", "order_resend", "proof", {"order_number": NUMBER})
    )
    (run,) = talk.says(typed).actions
    assert isinstance(run, Run)
    assert run.secrets["proof"].get_secret_value() == typed


def test_another_number_corrects_the_order_where_a_password_was_asked_for(talk: Talk) -> None:
    talk.memory = Memory(
        pending=PendingTool("card_resend", "order_resend", "proof", {"order_number": NUMBER})
    )
    (run,) = talk.says(f"不对，是 {OTHER_NUMBER}").actions
    assert isinstance(run, Run)
    assert (dict(run.slots), dict(run.secrets)) == ({"order_number": OTHER_NUMBER}, {})


def test_a_code_is_mailed_only_where_a_proof_is_asked_for(talk: Talk) -> None:
    talk.memory = Memory(
        pending=PendingTool("card_resend", "order_resend", "proof", {"order_number": NUMBER})
    )
    (run,) = talk.says(button="code").actions
    assert isinstance(run, Run)
    assert run.wants_code
    talk.memory = Memory(pending=PendingTool("order_lookup", "order_status", "order_number"))
    assert talk.says(button="code").actions == (Remark("button_gone"),)


def test_a_pending_tool_that_is_gone_is_forgotten(talk: Talk) -> None:
    talk.memory = Memory(pending=PendingTool("fortune_teller", "order_status", "palm"))
    assert talk.says("怎么付款").actions == (Answer(IntentId("payment_methods")),)


def test_a_hidden_line_is_shown_again_after_a_proof(talk: Talk) -> None:
    (run,) = talk.says(button=f"{VERIFY}:{NUMBER}").actions
    assert isinstance(run, Run)
    assert (run.tool, dict(run.slots)) == ("card_resend", {"order_number": NUMBER})
    talk.memory = Memory()
    assert talk.says("再次验证").actions == (
        Ask("card_resend", "order_number", IntentId("order_resend")),
    )


@pytest.mark.parametrize("words", ["2", "第二个", "转人工！"])
def test_an_offered_button_can_be_typed(talk: Talk, words: str) -> None:
    talk.memory = replace(Memory(), offered=(("cancel", "算了"), ("handoff", "转人工")))
    assert talk.says(words).actions == (HandOff("asked", IntentId("human_agent")),)


def test_the_second_unread_picture_calls_a_person_and_evidence_never_does(talk: Talk) -> None:
    assert talk.says(media="image").actions == (Remark("media_unread"),)
    assert talk.says(media="image").actions == (HandOff("unreadable_media"),)
    talk.says("说是无效")
    assert {talk.says(media="image").actions for _ in range(4)} == {(Remark("evidence_taken"),)}


MESSAGES = st.one_of(
    st.sampled_from([*ASKS, NUMBER, CARD, f"密码 {PASSWORD}", PASSWORD, "算了", "1", "😂", "啊吧"]),
    st.lists(st.sampled_from([*ASKS, NUMBER, CARD, "，"]), max_size=4).map("".join),
    st.text(max_size=12),
).map(lambda text: {"text": text})
BUTTONS = st.sampled_from(
    [
        "handoff",
        "none",
        "code",
        "cancel",
        VERIFY,
        f"{VERIFY}:{NUMBER}",
        "intent:order_status",
        "odd",
    ]
).map(lambda button: {"button": button})
MEDIA = st.sampled_from(["image", "voice", "other"]).map(lambda media: {"media": media})


@settings(max_examples=150, deadline=None)
@given(st.lists(MESSAGES | BUTTONS | MEDIA, max_size=12))
def test_whatever_is_said_something_is_done_and_no_secret_is_remembered(
    said: list[dict[str, Any]],
) -> None:
    talk = Talk(ASKS)
    for message in said:
        decision = talk.says(**message)
        assert decision.actions
        assert not any(isinstance(action, HandOff) for action in decision.actions[:-1])
        last = decision.actions[-1]
        if isinstance(last, Ask):  # the answer is awaited
            assert talk.memory.pending is not None
            assert talk.memory.pending.asking == last.slot
        stored = json.dumps(talk.memory.as_json(), ensure_ascii=False)
        assert PASSWORD not in stored
        assert CARD not in stored
        assert Memory.from_json(json.loads(stored)) == talk.memory
