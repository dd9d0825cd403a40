"""Texts: faces, mentions, and nothing live on the way out."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.qq.text import as_markdown, faces_as_emoji, inert, mention, without_mention
from devkit.qq.rules import displayed

WORDS = st.text(st.sampled_from('ab1 \n*_~`[]()<>@#!|\\-+=."/q:卡密😀'), max_size=60)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('<faceType=1,faceId="5",ext="eyJ0ZXh0Ijoi5rWB5rOqIn0=">', "😭"),
        ('<faceType=4,faceId="",ext="eyJ0ZXh0IjoiW+a7oeWktOmXruWPt10ifQ==">', "❓"),
        ('<faceType=6,faceId="0",ext="eyJ0ZXh0IjoiIn0=">', "🙂"),
        ('<faceType=1,faceId="5">', "🙂"),
        ('<faceType=1,faceId="5",ext="!!!">', "🙂"),
        ('<faceType=1,faceId="5",ext="W10=">', "🙂"),
        ("1 < 2 > <b>", "1 < 2 > <b>"),
    ],
)
def test_faces_become_emoji(text: str, shown: str) -> None:
    assert faces_as_emoji(text) == shown


@pytest.mark.parametrize(
    ("text", "names", "shown"),
    [
        (" 查订单", {}, "查订单"),
        ("<@B> 查订单", {"B": None}, "查订单"),
        ("查订单 <@!B>", {"B": None}, "查订单"),
        ("<@B> 查订单", {}, "查订单"),
        ("<@B> 帮 <@A> 查", {"B": None, "A": "小红"}, "帮 @小红 查"),
        ("<@B> 帮 <@C> 查", {"B": None}, "帮 @群友 查"),
        ('<qqbot-at-user id="B" /> 查', {"B": None}, "查"),
        ("1 <@ 2", {}, "1 <@ 2"),
    ],
)
def test_the_mention_of_the_bot_is_taken_off(
    text: str, names: dict[str, str | None], shown: str
) -> None:
    assert without_mention(text, names) == shown


@given(WORDS)
@example("<@!A1>")
@example('<qqbot-at-user id="A" />')
@example("<qqbot-at-everyone />")
@example("<QQBOT-cmd-enter text=1>")
def test_nothing_in_a_text_mentions_anybody(text: str) -> None:
    shown, mentioned = displayed(inert(text), is_markdown=False)
    assert mentioned == ()
    assert shown == text.strip()


@given(WORDS)
@example("# 标题")
@example("**粗** _斜_ [链接](x) `码`")
@example("- 一\n+ 二")
def test_a_text_under_buttons_is_read_as_it_was_written(text: str) -> None:
    shown, mentioned = displayed(as_markdown(inert(text)), is_markdown=True)
    assert (shown, mentioned) == (text.strip(), ())


def test_an_address_stays_whole_in_markdown() -> None:
    assert as_markdown("看_这_ https://a.cn/x_y?z=*1 吧") == r"看\_这\_ https://a.cn/x_y?z=*1 吧"


def test_only_an_openid_is_mentioned() -> None:
    assert displayed(mention("E4F4AEA33253") + "您好", is_markdown=False) == (
        "您好",
        ("E4F4AEA33253",),
    )
    assert mention('x" /><qqbot-at-everyone') == ""
