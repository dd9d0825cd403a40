"""The console's API on this kefu's parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

from aiohttp import web

from bot.app.connectors import Connectors
from bot.app.http.network import Network
from bot.sealing.finder import secrets_in
from bot.turn.knowledge import Knowledge, KnowledgeStatus
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
from handoff.desk.desk import Desk
from handoff.errors import PanelUnavailable
from shop.access.panel import Panel
from shop.errors import ShopError
from storage.core.after_commit import AfterCommit
from storage.storage import Storage

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


class Console:
    """The console's API on this database, and what it must be told.

    Args:
        titles: Names that agents know the shop's accounts by, by channel and account.
        device_key: Signs the cookies of devices that agents have logged in from.
        max_file_bytes: Size of the largest file that an agent may send.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        desk: Desk,
        media: MediaStore,
        panel: Panel,
        knowledge: Knowledge,
        connectors: Connectors,
        titles: Mapping[tuple[str, str], str],
        network: Network,
        device_key: bytes,
        max_file_bytes: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._storage = storage
        self._knowledge = knowledge
        self._connectors = connectors
        self._titles = titles
        self._version = version("kefu")
        self._api = ConsoleApi(
            storage,
            desk=desk,
            clock=clock,
            media=media,
            panel=_ShopPanel(panel),
            typing=connectors,
            status=self._status,
            channels=self._channels,
            find_secrets=secrets_in,
            version=self._version,
            # a demo's owner too: a password is a password
            sources_of=lambda request: network.source(request).networks,
            device_key=device_key,
            trusts_proxy=network.trusts_proxy,
            max_file_bytes=max_file_bytes,
        )

    def mount(self, application: web.Application) -> None:
        """Put the API under ``/api/v1``; its background tasks live as long as the server."""
        application.add_subapp(PREFIX, self._api.application())

    def committed(self, after_commit: AfterCommit) -> None:
        """Show agents what a commit changed."""
        if after_commit.has_events:
            self._api.feed.wake()

    def kb_changed(self, status: KnowledgeStatus) -> None:
        """Show agents how the knowledge base stands."""
        self._api.feed.kb_changed(_kb(status))

    async def customer_typing(self, address: Address) -> None:
        """Show agents who look at the conversation that its customer types."""
        found = await self._storage.read(lambda work: work.conversations.of_address(address))
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
            for (channel, account), connector in self._connectors.items()
        ]
        return StatusOut(
            kb=_kb(self._knowledge.status), connectors=connectors, version=self._version
        )

    def _channels(self) -> list[ChannelOut]:
        return [
            _channel(connector, self._titles.get(account, ""))
            for account, connector in self._connectors.items()
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
