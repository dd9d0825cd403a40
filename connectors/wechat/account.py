"""A 公众号 in channels.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from connectors.kit.account import Account
from connectors.kit.secrets import AesKey, CallbackToken, IssuedSecret

WAITING_TEXT = "正在为您处理，请稍等片刻，再随便发一个字就能看到答复～"


class WechatAccount(Account):
    """One Official Account, run in developer mode (服务器配置)."""

    steps: ClassVar = (
        "打开公众平台 → 基本配置 → 服务器配置 → 修改配置：URL 填 {hook}，Token 填上面的 token，"
        "EncodingAESKey 填上面的 encoding_aes_key，加解密方式选安全模式。重启 kefu 以后再点提交。",
        "同一页的 IP 白名单里，填服务器的公网 IP。",
    )

    channel: Literal["wechat"] = "wechat"
    app_id: Annotated[
        str, Field(pattern=r"^wx[0-9A-Za-z]{6,40}$", description="开发者 ID（AppID），wx 开头")
    ]
    app_secret: Annotated[
        IssuedSecret | None, Field(description="开发者密码（AppSecret）；只被动回复时可以不填")
    ] = None
    token: Annotated[
        CallbackToken,
        Field(
            description="服务器配置里自己填的令牌（Token）："
            "没有就运行 kefu channels init wechat 生成"
        ),
    ]
    encoding_aes_key: Annotated[
        AesKey | None, Field(description="服务器配置里的消息加解密密钥（EncodingAESKey）")
    ] = None
    encryption: Annotated[
        Literal["safe", "compat", "plain"],
        Field(description="消息加解密方式：safe 安全模式，compat 兼容模式，plain 明文模式"),
    ] = "safe"
    replies: Annotated[
        Literal["customer_service", "passive"],
        Field(description="怎么回复：customer_service 客服消息（要认证），passive 只能被动回复"),
    ] = "customer_service"
    buttons: Annotated[
        bool, Field(description="选项显示成可以点的菜单；关掉就显示成数字，顾客回复数字")
    ] = True
    menu: Annotated[
        Mapping[str, str],
        Field(description="公众号底部菜单：点击类菜单的 key 当成顾客说的哪句话；没写的就用 key"),
    ] = Field(default_factory=dict)

    api_url: Annotated[
        str, Field(pattern=r"^https?://[^\s?#]+[^\s?#/]$", description="微信接口的地址")
    ] = "https://api.weixin.qq.com"
    token_call: Annotated[
        Literal["stable_token", "token"],
        Field(description="用哪个接口取访问凭证；stable_token 不会和店里别的程序互相顶掉"),
    ] = "stable_token"  # noqa: S105 - the name of a call
    timeout_s: Annotated[float, Field(gt=0, description="一次请求最多等几秒")] = 8.0
    refresh_before_s: Annotated[float, Field(ge=0, description="访问凭证到期前几秒换新的")] = 300.0
    clock_skew_s: Annotated[float, Field(gt=0, le=3600, description="推送里的时间最多差几秒")] = (
        300.0
    )
    window_h: Annotated[float, Field(gt=0, description="顾客说话以后，几小时内可以回复")] = 48.0
    replies_per_message: Annotated[int, Field(gt=0, description="顾客说一次话，最多可以回几条")] = 5
    event_window_s: Annotated[
        float, Field(gt=0, description="顾客关注、扫码、点菜单以后，几秒内可以回复")
    ] = 60.0
    replies_per_event: Annotated[
        int, Field(gt=0, description="顾客关注、扫码、点菜单一次，最多可以回几条")
    ] = 3
    max_text_bytes: Annotated[int, Field(ge=512, description="一条文字最多几个字节")] = 2048
    max_menu_items: Annotated[int, Field(ge=1, description="一个选项菜单最多几项")] = 10
    max_menu_label_bytes: Annotated[int, Field(ge=8, description="选项一项最多几个字节")] = 60
    max_image_bytes: Annotated[int, Field(gt=0, description="一张图片最多几个字节")] = 10 << 20
    max_video_bytes: Annotated[int, Field(gt=0, description="一段视频最多几个字节")] = 10 << 20
    typing_every_s: Annotated[float, Field(ge=0, description="“正在输入”隔几秒才再显示一次")] = 15.0
    limited_pause_s: Annotated[
        float, Field(gt=0, description="被告知这一分钟太频繁以后，停几秒再试")
    ] = 60.0
    daily_limit_pause_s: Annotated[
        float, Field(gt=0, description="当天的接口次数用完以后，停几秒再试")
    ] = 1800.0

    deliveries: Annotated[
        int, Field(ge=1, description="一条消息没人答，微信一共推送几次（只用于被动回复）")
    ] = 3
    platform_timeout_s: Annotated[
        float, Field(gt=0, description="微信等我们几秒（只用于被动回复）")
    ] = 5.0
    answer_within_s: Annotated[
        float, Field(gt=0, description="留出路上的时间，几秒内要答（只用于被动回复）")
    ] = 4.5
    gather_s: Annotated[
        float, Field(ge=0, description="有了答复以后再等几秒，好把几条并成一条（只用于被动回复）")
    ] = 0.8
    waiting_text: Annotated[
        str,
        Field(min_length=1, max_length=200, description="来不及答时先说什么（只用于被动回复）"),
    ] = WAITING_TEXT

    @property
    def is_passive(self) -> bool:
        """Whether it may only answer within a push."""
        return self.replies == "passive"

    @classmethod
    def to_fill(cls, given: Mapping[str, str]) -> tuple[str, ...]:
        """The keys of safe mode and of customer-service messages as well, where these are meant."""
        more = {"encoding_aes_key"} if given.get("encryption") != "plain" else set()
        more |= {"app_secret"} if given.get("replies") != "passive" else set()
        needed = {*super().to_fill(given), *more - given.keys()}
        return tuple(name for name in cls.model_fields if name in needed)

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.encryption != "plain" and self.encoding_aes_key is None:
            raise ValueError("安全模式和兼容模式要填 encoding_aes_key（消息加解密密钥）")
        if not self.is_passive and self.app_secret is None:
            raise ValueError("用客服消息回复要填 app_secret（开发者密码）")
        if self.answer_within_s >= self.platform_timeout_s:
            raise ValueError("answer_within_s 要小于 platform_timeout_s")
        return self


ACCOUNT = WechatAccount

__all__ = ["ACCOUNT", "WechatAccount"]
