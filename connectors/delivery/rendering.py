"""From a message to what one channel can send: units in order. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from connectors.delivery.chunking import MEASURES, chunks
from connectors.messages import (
    Attachment,
    Button,
    Capabilities,
    Markup,
    MediaState,
    Outbound,
    Unit,
    button_token,
)

CSAT_BUTTONS = tuple(
    Button(f"csat:{score}", label)
    for score, label in enumerate(
        ("★ 很不满意", "★★ 不太满意", "★★★ 一般", "★★★★ 满意", "★★★★★ 很满意"), start=1
    )
)
"""How was it, where the channel has no stars of its own: the n-th is the score n."""
_CSAT_EN = ("★ very bad", "★★ bad", "★★★ so-so", "★★★★ good", "★★★★★ great")
_KINDS = {
    "image": ("图片", "picture"),
    "voice": ("语音", "voice message"),
    "video": ("视频", "video"),
}
_FILE = ("文件", "file")


def render(message: Outbound, able: Capabilities, *, is_plain: bool = False) -> tuple[Unit, ...]:
    """Cut a message into units.

    Args:
        is_plain: Without markup, after the platform refused it.

    Returns:
        At least one; text before files, buttons under the last text.
    """
    if able.composes:
        return (Unit(f"{message.outbox_id}-0", message, text=message.text),)
    buttons = _buttons(message)
    text = message.text
    unsent = [one for one in message.attachments if not _can_send(one, able)]
    files = [one for one in message.attachments if _can_send(one, able)]
    is_english = _is_english(text, buttons)
    if unsent:
        text = "\n".join([text, *(_stand_in(one, is_english=is_english) for one in unsent)]).strip()
    is_drawn = _are_drawn(buttons, able)
    if buttons and not is_drawn:
        text = numbered(text, [one.label for one in buttons], is_english=is_english)
    if buttons and is_drawn and not text:
        text = "Please choose:" if is_english else "请选择："
    markup = Markup.PLAIN if is_plain else able.markup
    most = able.max_button_text if is_drawn and buttons else None
    parts: list[tuple[str, Attachment | None]] = [
        (piece, None) for piece in _pieces(text, message.codes, able, markup, most)
    ]
    last_text = len(parts) - 1
    parts += [("", one) for one in files]
    drawn = tuple(
        (button_token(message.message_id, place), one.label) for place, one in enumerate(buttons)
    )
    return tuple(
        Unit(
            id=f"{message.outbox_id}-{place}",
            outbound=message,
            text=piece,
            markup=markup,
            attachment=file,
            buttons=drawn if is_drawn and place == last_text else (),
            is_last=place == len(parts) - 1,
        )
        for place, (piece, file) in enumerate(parts or [("…", None)])
    )


def numbered(text: str, labels: Sequence[str], *, is_english: bool) -> str:
    """A text with choices as numbered lines under it.

    >>> print(numbered("请选择", ["查订单", "转人工"], is_english=False))
    请选择
    <BLANKLINE>
    1. 查订单
    2. 转人工
    （回复数字就行）
    """
    lines = [f"{number}. {label}" for number, label in enumerate(labels, start=1)]
    hint = "(just reply with the number)" if is_english else "（回复数字就行）"
    return "\n".join([*([text, ""] if text else []), *lines, hint])


def as_html(text: str, codes: Sequence[str]) -> str:
    """Plain text as the HTML that Telegram reads; card keys so that a tap copies them.

    >>> as_html("您的卡密：A<1>", ["A<1>"])
    '您的卡密：<code>A&lt;1&gt;</code>'
    """
    known = sorted({code for code in codes if code}, key=len, reverse=True)
    if not known:
        return html.escape(text, quote=False)
    pattern = re.compile("|".join(map(re.escape, known)))
    parts, end_of_last = [], 0
    for found in pattern.finditer(text):
        parts.append(html.escape(text[end_of_last : found.start()], quote=False))
        parts.append(f"<code>{html.escape(found[0], quote=False)}</code>")
        end_of_last = found.end()
    parts.append(html.escape(text[end_of_last:], quote=False))
    return "".join(parts)


def _pieces(
    text: str,
    codes: Sequence[str],
    able: Capabilities,
    markup: Markup,
    most_with_buttons: int | None,
) -> list[str]:
    # cut first, mark up then: no tag is ever cut, and the limit counts what is read
    pieces = chunks(text, able.max_text, able.text_unit, codes)
    if most_with_buttons is not None and pieces:
        pieces[-1:] = chunks(pieces[-1], most_with_buttons, able.text_unit, codes)
    if markup is Markup.HTML:
        return [as_html(piece, codes) for piece in pieces]
    return pieces


def _buttons(message: Outbound) -> tuple[Button, ...]:
    if message.kind == "csat":
        if _is_english(message.text, ()):
            return tuple(
                Button(one.id, label) for one, label in zip(CSAT_BUTTONS, _CSAT_EN, strict=True)
            )
        return CSAT_BUTTONS
    return message.buttons


def _are_drawn(buttons: Sequence[Button], able: Capabilities) -> bool:
    measure = MEASURES[able.text_unit]
    return (
        able.has_buttons
        and len(buttons) <= able.max_buttons
        and all(measure(one.label) <= able.max_label for one in buttons)
    )


def _can_send(attachment: Attachment, able: Capabilities) -> bool:
    return attachment.kind in able.sends and attachment.state is MediaState.READY


def _stand_in(attachment: Attachment, *, is_english: bool) -> str:
    what = _KINDS.get(attachment.kind, _FILE)[is_english]
    named = f" {attachment.name}" if attachment.name and attachment.kind == "file" else ""
    if is_english:
        return f"[There is a {what}{named} here that this channel cannot show]"
    return f"[这里有一个{what}{named}，这个渠道发不了]"


def _is_english(text: str, buttons: Sequence[Button]) -> bool:
    words = text + "".join(one.label for one in buttons)
    return bool(words) and not any("\u4e00" <= char <= "\u9fff" for char in words)
