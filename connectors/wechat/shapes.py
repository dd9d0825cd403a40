"""Fields and kinds of pushes that wechatpy does not know, added the way it offers.

Source: 客服消息 (``bizmsgmenuid``); ``file`` is pushed although no page of the documentation names
it.
"""

from __future__ import annotations

from wechatpy.fields import IntegerField, StringField
from wechatpy.messages import BaseMessage, TextMessage, register_message


@register_message("text")
class MenuTextMessage(TextMessage):  # type: ignore[misc]
    """A text; with the entry's id where a message menu was tapped."""

    menu_id = StringField("bizmsgmenuid")


@register_message("file")
class FileMessage(BaseMessage):  # type: ignore[misc]
    """A document: the platform tells of it and does not give it out."""

    type = "file"
    title = StringField("Title")
    size = IntegerField("FileTotalLen", 0)


__all__ = ["FileMessage", "MenuTextMessage"]
