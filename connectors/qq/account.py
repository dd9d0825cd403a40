"""A QQ bot in channels.yaml."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from connectors.kit.account import Account
from connectors.kit.secrets import IssuedSecret

_Url = Annotated[str, Field(pattern=r"^https?://[^\s?#]+[^\s?#/]$")]


class QQAccount(Account):
    """One bot of the QQ open platform.

    Source of the defaults: QQ bot documentation, "消息收发概述", "发送单聊消息", "发送群聊消息",
    "获取访问凭证" (September 2026).
    """

    steps: ClassVar = (
        "打开 q.qq.com → 开发 → 回调配置，回调地址填 {hook}，重启 kefu 以后再点确认。",
    )

    channel: Literal["qq"] = "qq"
    app_id: Annotated[
        str,
        Field(
            pattern=r"^[0-9A-Za-z_-]{1,40}$",
            coerce_numbers_to_str=True,
            description="机器人的 AppID（开发 → 开发设置）",
        ),
    ]
    secret: Annotated[IssuedSecret, Field(description="机器人的 AppSecret（开发 → 开发设置）")]

    buttons: Annotated[
        bool, Field(description="用真正的按钮。要 QQ 给机器人开通“自定义按钮”才行")
    ] = False
    mention: Annotated[bool, Field(description="在群里回复时 @ 提问的人")] = True
    send_files_by: Annotated[
        Literal["content", "link"],
        Field(
            description="图片和文件怎么交给 QQ：content 直接上传，link 让 QQ 从 kefu 的公网地址取"
        ),
    ] = "content"

    api_url: Annotated[_Url, Field(description="QQ 机器人接口的地址")] = "https://api.bot.qq.com"
    token_url: Annotated[_Url, Field(description="领取访问凭证的地址")] = (
        "https://api.bot.qq.com/app/getAppAccessToken"  # noqa: S105 - an address
    )
    timeout_s: Annotated[
        float, Field(ge=5, description="一次请求最多等几秒；QQ 要求不少于 5 秒")
    ] = 10.0
    upload_timeout_s: Annotated[float, Field(ge=5, description="上传文件最多等几秒")] = 18.0
    refresh_before_s: Annotated[
        float, Field(ge=0, lt=60, description="访问凭证到期前几秒换新的")
    ] = 50.0
    limited_pause_s: Annotated[
        float, Field(gt=0, description="被告知太频繁以后，停几秒再发（QQ 没说要等多久时）")
    ] = 10.0

    private_window_min: Annotated[
        float, Field(gt=0, description="私聊里顾客说话以后，几分钟内可以回复")
    ] = 60.0
    private_replies: Annotated[int, Field(gt=0, description="私聊里每条消息最多可以回几条")] = 4
    group_window_min: Annotated[
        float, Field(gt=0, description="群里有人说话以后，几分钟内可以回复")
    ] = 5.0
    group_replies: Annotated[int, Field(gt=0, description="群里每条消息最多可以回几条")] = 5
    max_text: Annotated[int, Field(ge=100, description="一条文字最多几个字")] = 1500
    max_button_label: Annotated[int, Field(ge=1, description="按钮上最多几个字")] = 10
    max_age_s: Annotated[
        float, Field(gt=0, le=3600, description="QQ 推来的请求，签名时间最多差几秒")
    ] = 600.0


ACCOUNT = QQAccount

__all__ = ["ACCOUNT", "QQAccount"]
