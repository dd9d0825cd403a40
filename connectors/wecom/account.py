"""A 微信客服 account in channels.yaml."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from connectors.kit.account import Account
from connectors.kit.secrets import AesKey, CallbackToken, IssuedSecret


class WecomAccount(Account):
    """One 客服账号 of a WeCom corporation, managed by one self-built app."""

    steps: ClassVar = (
        "打开企业微信后台 → 应用 → 接收消息 → 设置 API 接收：URL 填 {hook}，Token 填上面的 token，"
        "EncodingAESKey 填上面的 aes_key。重启 kefu 以后再点保存。",
        "还不知道客服账号 ID 的，open_kfid 先写 wk0，kefu channels check 会列出来。",
    )

    channel: Literal["wecom"] = "wecom"
    corp_id: Annotated[
        str,
        Field(pattern=r"^[0-9A-Za-z_-]{1,64}$", description="企业 ID：我的企业 → 企业信息最下面"),
    ]
    secret: Annotated[IssuedSecret, Field(description="自建应用的 Secret")]
    token: Annotated[
        CallbackToken,
        Field(description="接收消息里的 Token：没有就运行 kefu channels init wecom 生成"),
    ]
    aes_key: Annotated[AesKey, Field(description="接收消息里的 EncodingAESKey")]
    open_kfid: Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,64}$", description="客服账号 ID")]

    api_url: Annotated[
        str, Field(pattern=r"^https?://[^\s?#]+[^\s?#/]$", description="企业微信接口的地址")
    ] = "https://qyapi.weixin.qq.com"
    timeout_s: Annotated[float, Field(gt=0, description="一次请求最多等几秒")] = 8.0
    poll_s: Annotated[
        float, Field(ge=30, description="没有收到通知时，隔几秒主动看一次有没有新消息")
    ] = 180.0
    history_min: Annotated[
        float, Field(ge=0, description="第一次启动时，几分钟以前的消息不再回答")
    ] = 10.0
    clock_skew_s: Annotated[float, Field(gt=0, le=3600, description="通知里的时间最多差几秒")] = (
        300.0
    )
    window_h: Annotated[float, Field(gt=0, description="顾客说话以后，几小时内可以回复")] = 48.0
    replies_per_message: Annotated[int, Field(gt=0, description="顾客说一次话，最多可以回几条")] = 5
    welcome_s: Annotated[float, Field(gt=0, description="欢迎语要在几秒内发出")] = 20.0
    max_text_bytes: Annotated[int, Field(ge=64, description="一条文字最多几个字节")] = 2048
    max_menu_text_bytes: Annotated[int, Field(ge=64, description="菜单上方的文字最多几个字节")] = (
        1024
    )
    max_menu_items: Annotated[int, Field(ge=1, description="一个菜单最多几项")] = 10
    max_menu_label_bytes: Annotated[int, Field(ge=8, description="菜单一项最多几个字节")] = 128
    refresh_before_s: Annotated[float, Field(ge=0, description="访问凭证到期前几秒换新的")] = 300.0
    callback_token_s: Annotated[float, Field(gt=0, description="通知里的 Token 几秒内有效")] = 600.0
    limited_pause_s: Annotated[
        float, Field(gt=0, description="被告知太频繁以后，停几秒再试（接口不说要等多久）")
    ] = 60.0
    busy_tries: Annotated[int, Field(ge=1, description="接口说系统繁忙时，一共试几次")] = 3
    repeated_msgid_codes: Annotated[
        tuple[int, ...],
        Field(description="重复发送同一条时接口返回的错误码：见到它们就当作已经发出"),
    ] = ()


ACCOUNT = WecomAccount

__all__ = ["ACCOUNT", "WecomAccount"]
