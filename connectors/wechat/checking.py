"""What ``kefu channels check`` finds out about a 公众号."""

from __future__ import annotations

from connectors.errors import AuthError, Fatal, RateLimited, Retryable, SendError
from connectors.messages import Check
from connectors.wechat import codes
from connectors.wechat.account import WechatAccount
from connectors.wechat.api import WechatApi

_NOBODY = "o" * 28


async def check(account: WechatAccount, api: WechatApi, public_url: str | None) -> Check:
    """How things stand; nothing is changed and nobody sees anything."""
    path = f"/hooks/{account.channel}/{account.account}"
    webhook = f"{public_url or ''}{path}"
    advice = []
    if public_url is None:
        advice.append("还没有填 kefu 的公网地址（要 https），微信的推送就没有地方可去")
    if account.encryption == "plain":
        advice.append(
            "现在是明文模式：签名管不到消息的内容，路上的人看得到顾客的话和卡密。"
            "到公众平台的“服务器配置”改成安全模式，再去掉 encryption: plain，"
            "填上 encoding_aes_key（没有就运行 kefu channels init wechat 生成）"
        )
    if account.is_passive:
        return Check(is_reachable=None, is_authorised=None, webhook=webhook, advice=tuple(advice))
    try:
        await api.log_in()
    except (Retryable, RateLimited) as error:
        advice.insert(0, f"连不上微信的接口（{error.code}），请检查服务器的网络，过一会儿再试")
        is_reachable = isinstance(error, RateLimited)
        return Check(is_reachable, is_authorised=None, webhook=webhook, advice=tuple(advice))
    except SendError as error:
        ip = f"（{api.refused_ip}）" if api.refused_ip else ""
        advice.insert(0, codes.advice(error.code) + ip)
        return Check(is_reachable=True, is_authorised=False, webhook=webhook, advice=tuple(advice))
    if not await _may_send(api):
        advice.insert(0, codes.advice(codes.NO_PERMISSION))
    return Check(is_reachable=True, is_authorised=True, webhook=webhook, advice=tuple(advice))


async def _may_send(api: WechatApi) -> bool:
    """Whether customer-service messages are allowed, asked with a customer whom nobody knows."""
    about = {"touser": _NOBODY, "command": "CancelTyping"}
    try:
        await api.call("message/custom/typing", about)
    except (AuthError, Fatal) as error:
        return error.code != codes.NO_PERMISSION
    except SendError:
        return True
    return True


__all__ = ["check"]
