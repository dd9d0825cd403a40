"""A Telegram bot in channels.yaml."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from connectors.kit.account import Account
from connectors.kit.secrets import IssuedSecret, SharedSecret

_TOKEN = re.compile(r"[0-9]{5,20}:[A-Za-z0-9_-]{30,60}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_PROXY = re.compile(r"https?://[^\s/]+/?")


class TelegramAccount(Account):
    """One bot, as @BotFather made it."""

    steps: ClassVar = (
        "在 Telegram 里找 @BotFather，发 /newbot，把它给的 token 写进 .env。",
        "店里自己的机器人转过来的（updates: relayed），把上面的 webhook_secret 和 {hook} 告诉它。",
    )

    channel: Literal["telegram"] = "telegram"
    token: Annotated[IssuedSecret, Field(description="@BotFather 给的 token")]
    updates: Annotated[
        Literal["polling", "webhook", "relayed"],
        Field(
            description="怎么收消息：polling 主动去取（不用公网地址），webhook 由 Telegram 推过来，"
            "relayed 由店里自己的机器人转过来"
        ),
    ] = "polling"
    webhook_secret: Annotated[
        SharedSecret | None,
        Field(
            description="推送时带的暗号，字母、数字、_、-；webhook 不填会自动生成；relayed 要填："
            "运行 kefu channels init telegram 生成"
        ),
    ] = None
    replace_webhook: Annotated[
        bool,
        Field(description="这个机器人已经设了别处的 webhook 时，改成归 kefu；那边的程序就收不到了"),
    ] = False
    proxy: Annotated[
        SecretStr | None,
        Field(description="服务器连不上 Telegram 时用的 HTTP 代理，如 http://127.0.0.1:7890"),
    ] = None

    api_url: Annotated[
        str, Field(pattern=r"^https?://[^\s?#]+[^\s?#/]$", description="Telegram 接口的地址")
    ] = "https://api.telegram.org"
    timeout_s: Annotated[float, Field(gt=0, description="一次请求最多等几秒")] = 12.0
    connect_timeout_s: Annotated[float, Field(gt=0, description="连接最多等几秒")] = 6.0
    download_timeout_s: Annotated[float, Field(gt=0, description="下载一个文件最多几秒")] = 60.0
    poll_timeout_s: Annotated[
        int, Field(ge=1, le=50, description="一次取消息时，没有新消息就等几秒")
    ] = 20
    poll_limit: Annotated[int, Field(ge=1, le=100, description="一次最多取几条")] = 100
    conflict_s: Annotated[
        float, Field(gt=0, description="别的程序同时在取消息，持续几秒就报故障")
    ] = 60.0
    refused_pause_s: Annotated[
        float, Field(gt=0, description="token 或 webhook 不对时，隔几秒再试")
    ] = 60.0
    webhook_check_s: Annotated[float, Field(ge=10, description="隔几秒看一次 webhook 是否正常")] = (
        300.0
    )
    max_connections: Annotated[int, Field(ge=1, le=100, description="同时推送最多几路")] = 40
    max_text: Annotated[int, Field(ge=64, le=4096, description="一条文字最多几个字")] = 4096
    max_buttons: Annotated[int, Field(ge=1, le=100, description="一条消息最多几个按钮")] = 20
    max_label: Annotated[int, Field(ge=8, description="按钮上最多几个字")] = 64
    max_photo_bytes: Annotated[int, Field(gt=0, description="图片超过多少字节就当文件发")] = (
        10 * 1024 * 1024
    )
    max_upload_bytes: Annotated[int, Field(gt=0, description="发出的文件最多几个字节")] = (
        50 * 1024 * 1024
    )
    account_per_s: Annotated[float, Field(gt=0, description="整个机器人每秒最多发几条")] = 30.0
    peer_per_s: Annotated[float, Field(gt=0, description="给同一位顾客每秒最多发几条")] = 1.0
    peer_burst: Annotated[int, Field(ge=1, description="给同一位顾客可以连着发几条")] = 4
    typing_every_s: Annotated[float, Field(gt=0, description="“正在输入”隔几秒发一次")] = 4.0

    @classmethod
    def to_fill(cls, given: Mapping[str, str]) -> tuple[str, ...]:
        """The shared secret as well, where the shop's own bot relays."""
        needed = super().to_fill(given)
        is_relayed = given.get("updates") == "relayed" and "webhook_secret" not in given
        return (*needed, "webhook_secret") if is_relayed else needed

    @field_validator("token")
    @classmethod
    def _is_a_token(cls, value: SecretStr) -> SecretStr:
        if not _TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError("不完整，形如 110201543:AAH…，请从 @BotFather 重新复制")
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _is_a_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _SECRET.fullmatch(value.get_secret_value()):
            raise ValueError("只能用字母、数字、_ 和 -，最长 256 个")
        return value

    @field_validator("proxy")
    @classmethod
    def _is_a_proxy(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _PROXY.fullmatch(value.get_secret_value()):
            raise ValueError("proxy 要写成 http://地址:端口；不支持 socks")
        return value

    @model_validator(mode="after")
    def _has_a_secret_to_share(self) -> Self:
        if self.updates == "relayed" and self.webhook_secret is None:
            raise ValueError("updates 是 relayed 时要填 webhook_secret，和店里机器人那边的一样")
        return self

    @property
    def bot_id(self) -> int:
        """The bot's own id: the first part of its token."""
        return int(self.token.get_secret_value().partition(":")[0])

    @property
    def hook_path(self) -> str:
        """Where updates are posted to."""
        return f"/hooks/{self.channel}/{self.account}"

    @property
    def hook_secret(self) -> str:
        """What every call to the webhook must carry; from the token where nobody chose one."""
        if self.webhook_secret is not None:
            return self.webhook_secret.get_secret_value()
        token = self.token.get_secret_value().encode()
        return hmac.new(token, b"kefu webhook", hashlib.sha256).hexdigest()


ACCOUNT = TelegramAccount

__all__ = ["ACCOUNT", "TelegramAccount"]
