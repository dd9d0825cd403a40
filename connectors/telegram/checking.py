"""What ``kefu channels check`` asks of Telegram, and what it advises."""

from __future__ import annotations

from datetime import datetime, timedelta

from connectors.errors import AuthError, SendError
from connectors.messages import Check
from connectors.telegram import advice
from connectors.telegram.account import TelegramAccount
from connectors.telegram.api import BotApi, Json
from connectors.telegram.webhook import is_ours, trouble_of

_RECENT = timedelta(hours=1)


async def check(
    account: TelegramAccount, api: BotApi, public_url: str | None, now: datetime
) -> Check:
    """Whether the token is right, and whether updates come where they should."""
    try:
        me = await api.me()
        info = await api.webhook()
    except AuthError:
        return Check(is_reachable=True, is_authorised=False, advice=(advice.REFUSED,))
    except SendError as error:
        return Check(is_reachable=False, is_authorised=None, advice=(advice.receiving(error),))
    webhook, found = _way(account, public_url, info, now)
    return Check(
        is_reachable=True,
        is_authorised=True,
        webhook=webhook,
        advice=found,
        name=f"{me.get('first_name', '')} @{me.get('username', '')}".strip(),
    )


def _way(
    account: TelegramAccount, public_url: str | None, info: Json, now: datetime
) -> tuple[str | None, tuple[str, ...]]:
    """Where updates go, and what is wrong with that."""
    there = str(info.get("url") or "")
    is_foreign = bool(there) and not is_ours(account, there)
    expected = f"{public_url or ''}{account.hook_path}"
    if account.updates == "polling":
        is_replaced = is_foreign and account.replace_webhook
        return None, (advice.FOREIGN_WEBHOOK,) if is_foreign and not is_replaced else ()
    if account.updates == "relayed":
        return expected, (advice.OWN_WEBHOOK,) if there and not is_foreign else ()
    if public_url is None:
        return account.hook_path, (advice.NO_PUBLIC_URL,)
    if not public_url.startswith("https://"):
        return expected, (advice.BAD_PUBLIC_URL,)
    if is_foreign and not account.replace_webhook:
        return expected, (advice.FOREIGN_WEBHOOK,)
    trouble = trouble_of(info, now, _RECENT)
    return expected, (trouble,) if trouble is not None else ()


__all__ = ["check"]
