"""Messages that customers read, made of actions and of tools' results, without a database."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
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
    Welcome,
)
from bot.dialogue.memory import Memory
from bot.dialogue.tool_result import SlotRequest, ToolResult, remember
from bot.tools.registry import TOOL_SPECS
from bot.wording.compose import Composer, Reply, merged
from bot.wording.customer.remarks import BUTTONS, REMARKS
from connectors.messages import Button
from knowledge_base.source.intent import IntentId, Outcome
from tests.factories.dialogue import NUMBER, a_composer, an_intent, by_id

STATUS = IntentId("order_status")
LOOK_UP = Run("order_lookup", STATUS, {"order_number": NUMBER})
DELIVERED = ToolResult("delivered", variables={"order": {"product": "Steam 50元 ×2"}})


def buttons(reply: Reply) -> list[str]:
    return [button.id for button in reply.buttons]


def a_composer_with(**parts: Any) -> Composer:
    return a_composer(by_id(an_intent("order_status", tool="order_lookup", **parts)))


def test_an_answer_offers_what_comes_next_and_a_person_always_alike() -> None:
    reply = a_composer().answer(Answer(IntentId("payment_methods")))
    assert reply.text == "payment_methods 的回答"
    assert reply.buttons == (
        Button("handoff", "转人工"),
        Button("intent:order_status", "标题 order_status"),
    )


def test_of_several_answers_one_is_chosen() -> None:
    intents = by_id(an_intent("greeting", answers=("你好", "在的", "您好")))
    composer = a_composer(intents, choose=lambda count: count - 1)
    assert composer.answer(Answer(IntentId("greeting"))).text == "您好"


def test_a_channels_own_answer_replaces_the_common_one() -> None:
    intents = by_id(an_intent("greeting", answers_by_channel={"wechat": ("公众号您好",)}))
    said = {
        name: a_composer(intents, channel=name).answer(Answer(IntentId("greeting"))).text
        for name in ("wechat", "web")
    }
    assert said == {"wechat": "公众号您好", "web": "greeting 的回答"}


def test_english_is_said_where_it_was_written() -> None:
    intents = by_id(an_intent("greeting", answers_en=("Hello",)), an_intent("thanks"))
    composer = a_composer(intents, is_english=True)
    assert composer.answer(Answer(IntentId("greeting"))).text == "Hello"
    assert composer.answer(Answer(IntentId("thanks"))).text == "thanks 的回答"


def test_a_clarification_can_be_declined() -> None:
    reply = a_composer().clarify(Clarify((STATUS, IntentId("delivery_time"))))
    assert buttons(reply) == ["intent:order_status", "intent:delivery_time", "none"]


def test_no_message_has_more_than_four_buttons_for_intents() -> None:
    names = [IntentId(f"i{n}") for n in range(9)]
    intents = by_id(*(an_intent(name) for name in names), an_intent("greeting", then=tuple(names)))
    assert len(a_composer(intents).answer(Answer(IntentId("greeting"))).buttons) == 4


@pytest.mark.parametrize("tool", TOOL_SPECS)
@pytest.mark.parametrize("is_english", [False, True])
def test_every_slot_can_be_asked_for_in_every_way(tool: str, *, is_english: bool) -> None:
    composer = a_composer(is_english=is_english)
    for slot in TOOL_SPECS[tool].slots:
        said = [
            composer.ask(Ask(tool, slot.name, STATUS, why=why)).text
            for why in ("missing", "unreadable", "resume")
        ]
        assert all(said)
        assert len(set(said)) == 3
        assert composer.locate(Locate(tool, slot.name)).text


def test_a_mailed_code_is_spoken_of_only_where_there_is_mail() -> None:
    ask = Ask("card_resend", "proof", STATUS)
    with_mail, without = a_composer(has_mail=True).ask(ask), a_composer().ask(ask)
    assert buttons(with_mail) == ["code", "cancel", "handoff"]
    assert "邮箱" in with_mail.text
    assert buttons(without) == ["cancel", "handoff"]
    assert "邮箱" not in without.text


def test_a_shops_own_words_for_an_outcome_come_first() -> None:
    composer = a_composer_with(outcomes={"delivered": Outcome("{{ order.product }} 发啦")})
    assert composer.result(LOOK_UP, DELIVERED).text == "Steam 50元 ×2 发啦"
    assert "已经发货" in a_composer_with().result(LOOK_UP, DELIVERED).text


def test_a_tool_that_goes_on_as_another_one_says_its_own_words() -> None:
    composer = a_composer_with(outcomes={"not_paid": Outcome("不该出现")})
    said = composer.result(Run("card_resend", STATUS), ToolResult("not_paid", {"order": {}})).text
    assert "不该出现" not in said


def test_an_answer_wraps_an_outcome_unless_a_person_is_called() -> None:
    composer = a_composer_with(answers=("查到了！{{ order.summary }}",))
    assert composer.result(LOOK_UP, DELIVERED).text.startswith("查到了！")
    assert not composer.result(LOOK_UP, ToolResult("unavailable")).text.startswith("查到了！")


def test_an_offered_slot_stands_under_the_answer() -> None:
    asks = SlotRequest("card_resend", "proof", {"order_number": NUMBER}, is_optional=True)
    result = ToolResult("delivered", DELIVERED.variables, asks=asks, buttons=("cancel", "handoff"))
    reply = a_composer_with(then=(IntentId("order_status"),)).result(LOOK_UP, result)
    assert reply.text.endswith("\n要在这里查看卡密，请发这单的查询密码。")
    assert buttons(reply) == ["cancel", "handoff"]


def test_secrets_belong_to_the_order_that_was_spoken_of() -> None:
    result = ToolResult("shown", {"order": {}}, secrets=("A1",), spoken_of={"order_number": NUMBER})
    reply = a_composer_with().result(Run("card_resend", STATUS), result)
    assert (reply.secrets, reply.order_number) == (("A1",), NUMBER)
    assert "A1" not in repr(reply)


@pytest.mark.parametrize(
    ("tool", "outcome"),
    [(spec.name, name) for spec in TOOL_SPECS.values() for name in spec.outcomes],
)
def test_every_outcome_can_be_said_and_remembered(tool: str, outcome: str) -> None:
    noun = next(iter(TOOL_SPECS[tool].variables)).partition(".")[0]
    values = {name.partition(".")[2]: f"<{name}>" for name in TOOL_SPECS[tool].variables}
    result = ToolResult(outcome, {noun: values, "products": {"list": "·"}})
    for is_english in (False, True):
        said = a_composer(is_english=is_english).result(Run(tool, STATUS), result).text
        assert said.strip()
        assert "{{" not in said
    explained = TOOL_SPECS[tool].outcomes[outcome].explained
    assert explained in remember(Memory(), Run(tool, STATUS), result, TOOL_SPECS).tried[-1]


def test_before_a_person_the_intents_words_are_said_and_after_a_circle_none() -> None:
    refund = IntentId("refund_request")
    lead = a_composer().lead(HandOff("intent", refund))
    assert lead is not None
    assert lead.text == "好的，我请同事处理退款。"
    assert a_composer().lead(HandOff("repeated", refund)) is None
    assert a_composer().lead(HandOff("two_misses")) is None


def test_who_arrives_is_greeted_in_the_shops_words_else_with_its_name() -> None:
    assert a_composer().welcome(Welcome("欢迎光临")).text == "欢迎光临"
    assert "星辰点卡" in a_composer().welcome(Welcome("")).text
    assert "星辰点卡" in a_composer(is_english=True).welcome(Welcome("欢迎光临")).text


@pytest.mark.parametrize("name", REMARKS)
def test_every_remark_is_said_in_both_languages(name: str) -> None:
    said = {
        a_composer(is_english=is_english).remark(Remark(name)).text for is_english in (False, True)
    }
    assert len(said) == 2


def test_every_button_is_labelled_in_both_languages() -> None:
    assert all(len(set(labels)) == 2 for labels in BUTTONS.values())


def test_a_promise_stands_under_the_reply() -> None:
    reply = a_composer().promised(Reply("好的"), "明天 09:00")
    assert reply.text.startswith("好的\n")
    assert "明天 09:00" in reply.text


def test_a_fallback_ends_with_a_person() -> None:
    assert buttons(a_composer().fallback(Fallback((STATUS,)))) == ["intent:order_status", "handoff"]


REPLIES = st.lists(
    st.builds(
        Reply,
        text=st.text(max_size=5),
        buttons=st.lists(
            st.sampled_from([Button("a", "甲"), Button("b", "乙"), Button("c", "丙")]), max_size=3
        ).map(tuple),
        secrets=st.lists(st.text(min_size=1, max_size=3), max_size=2).map(tuple),
    ),
    max_size=4,
)


@given(REPLIES)
def test_several_replies_in_one_message_lose_nothing(replies: list[Reply]) -> None:
    made = merged(replies)
    assert len(made) == min(1, len(replies))
    if made:
        assert all(reply.text in made[0].text for reply in replies)
        assert {button for reply in replies for button in reply.buttons} == set(made[0].buttons)
        assert [one for reply in replies for one in reply.secrets] == list(made[0].secrets)
