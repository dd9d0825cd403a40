"""What ``kefu channels check`` asks of WeCom, and what it advises."""

from __future__ import annotations

from connectors.errors import Retryable, SendError
from connectors.messages import Check
from connectors.wecom import codes
from connectors.wecom.account import WecomAccount
from connectors.wecom.api import WecomApi


async def check(account: WecomAccount, api: WecomApi, public_url: str | None) -> Check:
    """Whether the secret is right, the account is ours to manage, and where notices go."""
    webhook, advice = _webhook(account, public_url)
    try:
        answer = await api.call("kf/account/list", {"offset": 0, "limit": 100})
    except Retryable as error:
        advice = (f"连不上企业微信（{error.code}）：检查服务器的网络。", *advice)
        return Check(is_reachable=False, is_authorised=None, webhook=webhook, advice=advice)
    except SendError as error:
        advice = (codes.advice(error.code), *advice)
        return Check(is_reachable=True, is_authorised=False, webhook=webhook, advice=advice)
    accounts = [one for one in answer.get("account_list") or [] if isinstance(one, dict)]
    ours = next((one for one in accounts if one.get("open_kfid") == account.open_kfid), None)
    if ours is None:
        known = "、".join(f"{one.get('name')}（{one.get('open_kfid')}）" for one in accounts)
        found = f"这个应用能看到的有：{known}。" if known else "这个应用一个客服账号也看不到。"
        advice = (f"没有找到客服账号 {account.open_kfid}。{found}", *advice)
    elif ours.get("manage_privilege") is False:
        advice = (
            "这个客服账号没有交给应用管理：到“微信客服 → 通过 API 管理微信客服账号”里选上它。",
            *advice,
        )
    return Check(
        is_reachable=True,
        is_authorised=True,
        webhook=webhook,
        advice=advice,
        name=str(ours["name"]) if ours and ours.get("name") else None,
    )


def _webhook(account: WecomAccount, public_url: str | None) -> tuple[str, tuple[str, ...]]:
    path = f"/hooks/{account.channel}/{account.account}"
    if public_url is None:
        hint = "还没有填 kefu 的公网地址，企业微信的通知就没有地方可去。"
        return path, (hint,)
    return public_url + path, ()


__all__ = ["check"]
