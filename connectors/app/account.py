"""A shop's own app or site, in channels.yaml."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from connectors.kit.account import Account
from connectors.kit.secrets import SigningSecret


class AppAccount(Account):
    """One app or site of the shop."""

    steps: ClassVar = (
        "把上面的 secret 交给写 App 的人，用它签名（docs/channels/app.md）。",
        "App 把顾客的话发到 {hook}",
    )

    channel: Literal["app"] = "app"
    secret: Annotated[
        SigningSecret,
        Field(
            description="签名用的密钥，App 和 kefu 各存一份；没有就运行 kefu channels init app 生成"
        ),
    ]
    old_secret: Annotated[
        SigningSecret | None,
        Field(description="换密钥时的旧密钥：这期间新旧签名都认，换完删掉这一行"),
    ] = None
    webhook_url: Annotated[str, Field(description="kefu 把回复发到您服务器的哪个网址")]
    typing: Annotated[bool, Field(description="把“正在输入”也发给 App")] = False

    max_skew_s: Annotated[float, Field(gt=0, le=3600, description="双方时钟最多差几秒")] = 300.0
    max_text: Annotated[int, Field(ge=100, description="一条文字最多几个字")] = 4000
    max_body_mb: Annotated[int, Field(ge=1, le=30, description="App 发来的一个请求最大几 MB")] = 5
    timeout_s: Annotated[float, Field(gt=0, le=18, description="等您的服务器回答最多几秒")] = 10.0
    typing_every_s: Annotated[
        float, Field(gt=0, description="同一位顾客的“正在输入”，最多几秒发一次")
    ] = 4.0

    @field_validator("webhook_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            is_whole = bool(parts.hostname) and parts.port != 0
        except ValueError:
            raise ValueError("不是网址") from None
        if parts.scheme not in {"http", "https"} or not is_whole or any(map(str.isspace, value)):
            raise ValueError("要写完整的网址，以 https:// 开头")
        if parts.username is not None or parts.fragment:
            raise ValueError("网址里不能有用户名、密码和 #")
        return value


ACCOUNT = AppAccount

__all__ = ["ACCOUNT", "AppAccount"]
