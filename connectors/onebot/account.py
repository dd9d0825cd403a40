"""A QQ account behind a OneBot implementation, in channels.yaml."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from connectors.kit.account import Account
from connectors.kit.secrets import SocketToken


class OneBotAccount(Account):
    """One QQ account that NapCat, LLOneBot, Lagrange or go-cqhttp is logged in as.

    The limits are unofficial: QQ publishes none for personal accounts, these keep an account calm.
    """

    steps: ClassVar = (
        "打开 NapCat 的网页后台 → 网络配置 → 新建 → Websocket 客户端，URL 填 {socket}，"
        "Token 填上面的 access_token，消息格式选 array，启用。"
        "LLOneBot、Lagrange 里叫“反向 WebSocket”。",
        "要 kefu 连过去（mode: forward）的，在那边建“Websocket 服务器”，Token 一样。",
    )

    channel: Literal["onebot"] = "onebot"
    self_id: Annotated[
        str,
        Field(
            pattern=r"^[1-9][0-9]{4,14}$",
            coerce_numbers_to_str=True,
            description="机器人登录的 QQ 号",
        ),
    ]
    access_token: Annotated[
        SocketToken,
        Field(
            description="kefu 和 QQ 那边约定的暗号，NapCat 里叫 token，至少 8 个字符；"
            "没有就运行 kefu channels init onebot 生成",
        ),
    ]
    mode: Annotated[
        Literal["reverse", "forward"],
        Field(description="reverse：QQ 那边连过来；forward：kefu 连过去"),
    ] = "reverse"
    path: Annotated[
        str, Field(pattern=r"^/[A-Za-z0-9/_-]+$", description="reverse 时让对方连的路径")
    ] = "/onebot/v11/ws"
    url: Annotated[
        str | None, Field(pattern=r"^wss?://\S+$", description="forward 时对方的地址，ws:// 开头")
    ] = None
    accept_friends: Annotated[bool, Field(description="自动通过加好友的请求")] = False

    max_text: Annotated[int, Field(ge=100, description="一条消息最多几个字")] = 1500
    peer_gap_s: Annotated[float, Field(gt=0, description="给同一个人发，两条之间隔几秒")] = 1.0
    per_minute: Annotated[float, Field(gt=0, description="一分钟最多发几条，太多容易被风控")] = 20.0
    action_timeout_s: Annotated[float, Field(gt=0, description="一个请求最多等几秒")] = 10.0
    dead_after: Annotated[int, Field(ge=1, description="连着几次没有回音，就断开让对方重连")] = 3
    max_frame_mb: Annotated[int, Field(ge=1, le=50, description="对方发来的一帧最大几 MB")] = 8

    @model_validator(mode="after")
    def _forward_has_a_url(self) -> OneBotAccount:
        if self.mode == "forward" and self.url is None:
            raise ValueError("mode: forward 时要写 url，例如 ws://127.0.0.1:3001")
        return self


ACCOUNT = OneBotAccount

__all__ = ["ACCOUNT", "OneBotAccount"]
