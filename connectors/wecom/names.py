"""What customers call themselves, for the console: asked once, and never waited for long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from cachetools import LRUCache

from connectors.errors import SendError
from connectors.messages import Inbound, InboundKind
from connectors.wecom.api import WecomApi

log = structlog.get_logger(__name__)

_MAX_KNOWN = 5000
_MAX_ASKED = 100
_PATIENCE_S = 2.0
"""A message is not kept waiting for a name any longer."""
_PAUSE = timedelta(minutes=10)
_NAMED = frozenset({InboundKind.MESSAGE, InboundKind.BUTTON, InboundKind.ARRIVAL})


class Names:
    """Puts nicknames to messages, where they can be had."""

    def __init__(self, api: WecomApi, clock: Callable[[], datetime]) -> None:
        self._api = api
        self._clock = clock
        self._known: LRUCache[str, str] = LRUCache(_MAX_KNOWN)
        self._not_before = clock()

    async def named(self, inbounds: Sequence[Inbound]) -> list[Inbound]:
        """The same messages, with names."""
        people = [one.address.user_id for one in inbounds if one.kind in _NAMED]
        await self._ask([one for one in dict.fromkeys(people) if one not in self._known])
        return [
            replace(one, person_name=self._known.get(one.address.user_id) or None)
            if one.kind in _NAMED
            else one
            for one in inbounds
        ]

    async def _ask(self, people: Sequence[str]) -> None:
        if not people or self._clock() < self._not_before:
            return
        body = {"external_userid_list": list(people[:_MAX_ASKED]), "need_enter_session_context": 0}
        try:
            async with asyncio.timeout(_PATIENCE_S):
                answer = await self._api.call("kf/customer/batchget", body)
        except (SendError, TimeoutError) as error:
            # a name is a nicety: without the permission for it, or while it fails, we do without
            self._not_before = self._clock() + _PAUSE
            log.info("wecom_names_not_read", error=getattr(error, "code", "timeout"))
            return
        found = dict.fromkeys(people[:_MAX_ASKED], "")
        for one in answer.get("customer_list") or []:
            if isinstance(one, dict) and one.get("external_userid") in found:
                found[one["external_userid"]] = str(one.get("nickname") or "")[:80]
        self._known.update(found)


__all__ = ["Names"]
