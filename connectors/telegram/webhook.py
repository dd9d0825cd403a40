"""Keeps the bot's webhook pointed at us, and tells how Telegram fares with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog

from connectors.errors import AuthError, RateLimited, Rejected, SendError
from connectors.kit.backoff import Backoff
from connectors.kit.host import Host
from connectors.telegram import advice
from connectors.telegram.account import TelegramAccount
from connectors.telegram.api import KINDS, BotApi, Json
from connectors.telegram.reception import Reception

log = structlog.get_logger(__name__)

_RETRY = Backoff(first_s=1.0, longest_s=60.0)


class WebhookKeeper:
    """Of one bot."""

    def __init__(
        self, account: TelegramAccount, api: BotApi, host: Host, reception: Reception
    ) -> None:
        self._account = account
        self._api = api
        self._host = host
        self._reception = reception
        self._is_set = False
        self._failures = 0

    async def run(self) -> None:
        """Look after it until cancelled."""
        while True:
            await self._host.sleep(await self._round())

    async def _round(self) -> float:
        """Look once; how long to wait before the next time."""
        try:
            await self._look()
        except SendError as error:
            return self._after_refusal(error)
        except Exception:  # a bug must not end the watch
            log.exception("telegram_webhook_failed")
            self._reception.troubled(advice.BUG, self._host.clock())
            return self._account.refused_pause_s
        self._failures = 0
        return self._account.webhook_check_s

    async def _look(self) -> None:
        now = self._host.clock()
        if self._host.public_url is None:
            self._reception.troubled(advice.NO_PUBLIC_URL, now, is_down=True)
            return
        url = self._host.public_url + self._account.hook_path
        info = await self._api.webhook()
        there = str(info.get("url") or "")
        if there and not is_ours(self._account, there) and not self._account.replace_webhook:
            self._reception.troubled(advice.FOREIGN_WEBHOOK, now, is_down=True)
            return
        if not self._is_set or there != url or not _has_all_kinds(info):
            # once at every start: the secret may be another one, and nobody can ask for it
            await self._api.set_webhook(url)
            self._is_set = True
        trouble = trouble_of(info, now, timedelta(seconds=self._account.webhook_check_s))
        if trouble is None:
            self._reception.ok(now)
        else:
            self._reception.troubled(trouble, now)

    def _after_refusal(self, error: SendError) -> float:
        now = self._host.clock()
        match error:
            case AuthError():
                self._reception.troubled(advice.REFUSED, now, is_down=True)
                return self._account.refused_pause_s
            case RateLimited():
                return error.retry_after_s
            case Rejected():
                self._reception.troubled(advice.BAD_PUBLIC_URL, now, is_down=True)
                return self._account.refused_pause_s
        self._reception.troubled(advice.receiving(error), now)
        self._failures += 1
        return _RETRY.pause_s(self._failures, self._host.random())


def is_ours(account: TelegramAccount, url: str) -> bool:
    """Whether a webhook leads to this account, under whatever name kefu was reached by."""
    return urlsplit(url).path.endswith(account.hook_path)


def trouble_of(info: Json, now: datetime, within: timedelta) -> str | None:
    """What Telegram has to say of its last tries to reach us; ``None`` where all is well."""
    failed_at: Any = info.get("last_error_date")
    if not isinstance(failed_at, int) or now - datetime.fromtimestamp(failed_at, UTC) > within:
        return None
    said = str(info.get("last_error_message") or "")[:80]
    waiting = int(info.get("pending_update_count") or 0)
    return f"Telegram 推送失败过（{said}），还有 {waiting} 条在等，它会再推。"


def _has_all_kinds(info: Json) -> bool:
    return set(KINDS) <= set(info.get("allowed_updates") or ())


__all__ = ["WebhookKeeper", "is_ours", "trouble_of"]
