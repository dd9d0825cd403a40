"""The console's API, wired to the services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

from aiohttp import web

from bot.app.http.network import Network
from bot.app.services import Services
from bot.sealing.finder import secrets_in
from bot.turn.knowledge import KnowledgeStatus
from connectors.kit.registry import TITLES
from connectors.media.store import MediaStore
from connectors.messages import Address, Connector
from handoff.console.api.application import ConsoleApi
from handoff.console.models import (
    ChannelOut,
    ConnectorStatus,
    Figure,
    KbStatus,
    StatusOut,
)
from handoff.console.wording import figure_text
from handoff.errors import PanelUnavailable
from shop.access.panel import Panel
from shop.errors import ShopError

PREFIX = "/api/v1"
KINDS = ("image", "voice", "video", "file")
_MAIL = "邮件"
"""The one connector that is no channel: nobody writes to it."""


@dataclass(frozen=True, slots=True)
class _ShopPanel:
    """Implements ``handoff.console.api.customers.CustomerPanel`` over the shop's panel."""

    panel_of_shop: Panel

    async def panel(self, identity: str) -> Mapping[str, Any]:
        """Proofs and orders of a channel identity, cards masked."""
        try:
            return (await self.panel_of_shop.customer_panel(identity)).as_json()
        except ShopError as error:
            raise PanelUnavailable("the shop does not answer") from error


@dataclass(frozen=True, slots=True)
class _Typing:
    """Implements ``handoff.console.actions.TypingSink`` over the connectors."""

    parts: Services

    async def typing(self, address: Address, author: str, *, is_on: bool) -> None:
        """Show the customer that somebody writes, where the channel can."""
        connector = self.parts.connectors.get((address.ref.channel, address.ref.account_id))
        if connector is not None:
            await connector.typing(address, author, is_on=is_on)


class Console:
    """What the server needs of the console: routes, a wake-up call, and who types.

    Args:
        titles: What agents call the shop's accounts, by channel and account.
    """

    def __init__(
        self,
        parts: Services,
        media: MediaStore,
        titles: Mapping[tuple[str, str], str],
        network: Network,
    ) -> None:
        self._parts = parts
        self._titles = titles
        self._version = version("kefu")
        self._api = ConsoleApi(
            parts.storage,
            desk=parts.desk,
            clock=parts.clock,
            media=media,
            panel=_ShopPanel(parts.panel),
            typing=_Typing(parts),
            status=self._status,
            channels=self._channels,
            find_secrets=secrets_in,
            version=self._version,
            # a demo's owner too: a password is a password
            sources_of=lambda request: network.source(request).networks,
            device_key=parts.keyring.token_key("agent device"),
            trusts_proxy=network.trusts_proxy,
            max_file_bytes=parts.settings.media_mb * 1024 * 1024,
        )
        parts.knowledge.on_change = lambda status: self._api.feed.kb_changed(_kb(status))

    def mount(self, application: web.Application) -> None:
        """Put the API under ``/api/v1``; its background tasks live as long as the server."""
        application.add_subapp(PREFIX, self._api.application())

    def wake(self) -> None:
        """Something was committed that the console shows."""
        self._api.feed.wake()

    async def customer_typing(self, address: Address) -> None:
        """A customer types: whoever looks at the conversation sees it."""
        found = await self._parts.storage.read(lambda work: work.conversations.of_address(address))
        if found is not None:
            self._api.feed.customer_typing(found.id)

    def _status(self) -> StatusOut:
        connectors = [
            ConnectorStatus(
                channel=channel,
                account=account,
                state=(health := connector.health()).state,
                last_error=health.last_error,
            )
            for (channel, account), connector in self._parts.connectors.items()
        ]
        return StatusOut(
            kb=_kb(self._parts.knowledge.status), connectors=connectors, version=self._version
        )

    def _channels(self) -> list[ChannelOut]:
        return [
            _channel(connector, self._titles.get(key, ""))
            for key, connector in self._parts.connectors.items()
        ]


def _channel(connector: Connector, title: str) -> ChannelOut:
    health, able = connector.health(), connector.capabilities
    channel = connector.ref.channel
    return ChannelOut(
        channel=channel,
        account=connector.ref.account_id,
        channel_title=TITLES.get(channel, _MAIL),
        title=title,
        state=health.state,
        last_error=health.last_error,
        last_inbound_at=health.last_inbound_at,
        last_outbound_at=health.last_outbound_ok_at,
        sends=[kind for kind in KINDS if kind in able.sends],
        has_budget=able.needs_grant,
        figures=[_figure(name, value) for name, value in health.detail.items()],
    )


def _figure(name: str, value: object) -> Figure:
    if isinstance(value, datetime):
        return Figure(name=name, label=figure_text(name), at=value)
    return Figure(name=name, label=figure_text(name), text=str(value))


def _kb(status: KnowledgeStatus) -> KbStatus:
    return KbStatus(
        ok=status.problem is None,
        loaded_at=status.loaded_at,
        intents=status.intents,
        phrases=status.phrases,
        problem=status.problem,
    )
