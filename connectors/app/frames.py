"""What the shop's app posts to kefu, and what it is answered, as pydantic models.

Strict about what matters; fields that nobody knows are left alone, so that either side may grow.
"""

from __future__ import annotations

import base64
import re
from typing import Annotated, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$")]
Contact = Annotated[str, StringConstraints(min_length=3, max_length=120, strip_whitespace=True)]
Token = Annotated[str, StringConstraints(min_length=1, max_length=64)]
FileKind = Literal["image", "voice", "video", "file"]
MAX_TEXT = 10_000
MAX_FILES = 10
_SPACE = re.compile(r"\s+")


class Frame(BaseModel):
    """Anything that travels."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class UserIn(Frame):
    """是哪位顾客，由您的 App 说了算。"""

    id: Id = Field(description="您自己的顾客编号，一个人一个，永远不能换人")
    name: str | None = Field(None, description="昵称，显示在客服台上")
    contacts: tuple[Contact, ...] = Field(
        (),
        max_length=10,
        repr=False,
        description="这位顾客的邮箱、手机号、QQ，只能写您已经验证过的（VERIFIED）：用它们下的订单，"
        "包括卡密，会直接给这位顾客看，不再要任何证明",
    )
    locale: str | None = Field(None, description="App 的语言，例如 zh-CN、en")


class FileIn(Frame):
    """一个文件：写 url（kefu 来取），或者 data_base64（内容就放在这里），二选一。"""

    kind: FileKind
    url: str | None = Field(
        None, max_length=2000, pattern=r"^https?://", repr=False, description="公网能打开的地址"
    )
    data_base64: str | None = Field(None, repr=False, description="不带 data:…;base64, 前缀")
    name: str = ""
    mime: str = ""
    size: int | None = Field(None, ge=0, description="字节数，知道就写")

    @field_validator("data_base64")
    @classmethod
    def _is_base64(cls, value: str | None) -> str | None:
        if value is None:
            return None
        compact = _SPACE.sub("", value)
        try:
            is_something = bool(base64.b64decode(compact, validate=True))
        except ValueError:
            raise ValueError("不是 Base64；如果开头有 data:…;base64, ，去掉它") from None
        if not is_something:
            raise ValueError("文件是空的")
        return compact

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.url is None) == (self.data_base64 is None):
            raise ValueError("url 和 data_base64 写一个，也只写一个")
        return self


class MessageIn(Frame):
    """顾客做了什么：说话、按按钮、打开聊天、离开。"""

    id: Id = Field(description="您自己的消息号，重发时不变：kefu 按它去重，只算一次")
    type: Literal["message", "button", "start", "leave"] = Field(
        "message",
        description="message 说话或发文件，button 按按钮，start 打开聊天，leave 注销或拉黑",
    )
    user: UserIn
    text: str = Field(
        "", max_length=MAX_TEXT, repr=False, description="type 是 start 时：从哪里来的，例如订单号"
    )
    button: Token | None = Field(
        None, description="type 是 button 时必填：kefu 给的按钮里的 token，原样发回"
    )
    attachments: tuple[FileIn, ...] = Field((), max_length=MAX_FILES)
    at: AwareDatetime | None = Field(None, description="什么时候，要带时区")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.type == "button" and self.button is None:
            raise ValueError("type 是 button 时，要button 要填按钮的 token")
        if self.type == "message" and not self.text.strip() and not self.attachments:
            raise ValueError("type 是 message 时，text 和 attachments 至少要有一个")
        return self


class ButtonOut(Frame):
    """一个按钮；按下时把 token 原样发回。"""

    token: str
    label: str


class FileOut(Frame):
    """一个文件；url 过一阵会失效，要留就马上取走。"""

    kind: FileKind
    url: str = Field(repr=False)
    mime: str
    name: str = ""
    size: int


class UserRef(Frame):
    """给哪位顾客。"""

    id: str


class MessageOut(Frame):
    """给顾客看的一条；typing 只表示正在输入。"""

    id: str = Field(description="按它去重：同一个 id 可能来两次，只显示一次")
    type: Literal["message", "typing"] = "message"
    user: UserRef
    author: Literal["bot", "agent", "system"] = Field(
        description="bot 机器人，agent 人工，system 提示"
    )
    author_name: str | None = Field(None, description="人工客服的名字")
    text: str = Field("", repr=False, description="纯文本，不要当 HTML；可能有卡密，别写进日志")
    buttons: tuple[ButtonOut, ...] = ()
    attachments: tuple[FileOut, ...] = ()
    at: AwareDatetime


class TakenOut(Frame):
    """存好了。"""

    accepted: bool = True
    duplicate: bool = Field(description="以前收到过，什么都不会再发生")
    message_id: str | None = Field(description="kefu 的消息号，查问题时用；start、leave 可能没有")


class ErrorOut(Frame):
    """没有收下。"""

    error: Literal["bad_request", "bad_signature", "too_large", "try_again"]
    message: str = Field(description="哪里不对，怎么改")


__all__ = [
    "MAX_FILES",
    "MAX_TEXT",
    "ButtonOut",
    "ErrorOut",
    "FileIn",
    "FileKind",
    "FileOut",
    "Frame",
    "MessageIn",
    "MessageOut",
    "TakenOut",
    "UserIn",
    "UserRef",
]
