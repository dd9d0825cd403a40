"""The shop behind the bot: its backend, and the two views on it, the gate and the panel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.app.settings import Settings
from bot.tools.shop_tools import ShopTools
from bot.tools.tool import Tool
from connectors.messages import Address
from shop.access.gate import Gate
from shop.access.panel import Panel
from shop.access.settings import GateSettings
from shop.access.throttle import Limits
from shop.backends.embedded import EmbeddedShop
from shop.domain.passwords import Passwords, query_password_hasher
from storage.storage import Storage


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop as bot and console use it.

    Attributes:
        gate: Answers customers, cut to what they proved.
        panel: Answers agents.
        passwords: Hashes query passwords.
    """

    gate: Gate
    panel: Panel
    passwords: Passwords


def embedded_shop(
    storage: Storage,
    settings: Settings,
    clock: Callable[[], datetime],
    *,
    name: Callable[[], str],
    limits: Limits | None,
) -> Shop:
    """Return the shop whose orders lie in our own database.

    Args:
        name: The shop's name now.
        limits: How often one may look and try; ``None`` for the usual.
    """
    proofs_last = timedelta(hours=settings.proof_hours)
    passwords = Passwords(query_password_hasher())
    backend = EmbeddedShop(storage, passwords, clock)
    gate = Gate(
        storage,
        backend,
        clock,
        mail_available=settings.has_mail,
        shop_name=name,
        settings=GateSettings(limits=limits or Limits(), proofs_last=proofs_last),
    )
    panel = Panel(storage, backend, clock, proofs_last=proofs_last)
    return Shop(gate, panel, passwords)


def tools_of(
    tools: Sequence[Tool], gate: Gate, storage: Storage, *, has_mail: bool
) -> Callable[[ZoneInfo], ShopTools]:
    """Return what makes the bot's tools for a time zone."""

    async def vouched(address: Address) -> tuple[str, ...]:
        return await storage.read(lambda work: work.customers.vouched(address))

    def tools_in(zone: ZoneInfo) -> ShopTools:
        return ShopTools(tools, gate, timezone=zone, has_mail=has_mail, vouched=vouched)

    return tools_in
