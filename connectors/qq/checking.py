"""What ``kefu channels check`` asks of QQ, and what it advises."""

from __future__ import annotations

from urllib.parse import urlsplit

from connectors.errors import RateLimited, Retryable, SendError
from connectors.messages import Check
from connectors.qq import codes
from connectors.qq.account import QQAccount
from connectors.qq.api import QQApi

_PORTS = frozenset({80, 443, 8080, 8443})


async def check(account: QQAccount, api: QQApi, public_url: str | None) -> Check:
    """Whether AppID and AppSecret are right, and which address belongs on the platform."""
    webhook, advice = _webhook(account, public_url)
    try:
        me = await api.me()
    except (Retryable, RateLimited) as error:
        advice = (f"连不上 QQ（{error.code}）：检查服务器的网络。", *advice)
        return Check(is_reachable=False, is_authorised=None, webhook=webhook, advice=advice)
    except SendError as error:
        advice = (codes.advice(error.code), *advice)
        return Check(is_reachable=True, is_authorised=False, webhook=webhook, advice=advice)
    name = me.get("username")
    return Check(
        is_reachable=True,
        is_authorised=True,
        webhook=webhook,
        advice=advice,
        name=name if isinstance(name, str) and name else None,
    )


def _webhook(account: QQAccount, public_url: str | None) -> tuple[str, tuple[str, ...]]:
    """The callback address, and what QQ would not like about it.

    Source: QQ bot documentation, "事件订阅与通知": HTTPS on port 80, 443, 8080 or 8443.
    """
    path = f"/hooks/{account.channel}/{account.account}"
    if public_url is None:
        return path, ("还没有填 kefu 的公网地址，QQ 的消息就没有地方可去。",)
    parts = urlsplit(public_url)
    advice = []
    if parts.scheme != "https":
        advice.append("QQ 只认 https 开头的回调地址：先给 kefu 配好域名和证书。")
    if (parts.port or 443) not in _PORTS:
        advice.append("QQ 只认 80、443、8080、8443 端口的回调地址。")
    return public_url + path, tuple(advice)


__all__ = ["check"]
