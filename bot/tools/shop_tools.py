"""Running tools over the shop's gate.

Nothing here decides what may be shown: that is ``shop.access.disclosure``, behind the gate. A tool
can show nothing that the gate's answer does not hold.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from zoneinfo import ZoneInfo

import structlog
from pydantic import SecretStr

from bot.dialogue.actions import Run
from bot.dialogue.tool_result import ToolResult
from bot.tools.tool import Caller, Tool, ToolContext
from connectors.messages import Address, PeerKind
from shop.access.answers import Requester
from shop.access.gate import Gate
from shop.errors import ShopError

log = structlog.get_logger(__name__)

VOUCHING_CHANNEL = "app"
"""Only the shop's own app says, signed, who its customers are."""


class ShopTools:
    """Implements ``bot.tools.tool.Tools`` over the shop's gate.

    Args:
        timezone: In which times are told.
        has_mail: Whether codes and cards can go by mail.
        vouched: Contacts that the shop's own app vouches for, of who writes there.
    """

    def __init__(
        self,
        tools: Sequence[Tool],
        gate: Gate,
        *,
        timezone: ZoneInfo,
        has_mail: bool,
        vouched: Callable[[Address], Awaitable[Sequence[str]]],
    ) -> None:
        self._tools = {tool.spec.name: tool for tool in tools}
        self._gate = gate
        self._vouched = vouched
        self._timezone = timezone
        self._has_mail = has_mail

    async def run(self, run: Run, caller: Caller) -> ToolResult:
        """Run one tool."""
        context = ToolContext(
            gate=self._gate,
            requester=await self._requester(caller),
            zone=self._timezone,
            is_english=caller.is_english,
            has_mail=self._has_mail,
        )
        try:
            return await self._tools[run.tool].run(run, context)
        except ShopError as error:
            log.warning("tool_unavailable", tool=run.tool, error=type(error).__name__)
            return ToolResult("unavailable", refused=tuple(run.secrets))

    async def _requester(self, caller: Caller) -> Requester:
        is_known = caller.address.ref.channel == VOUCHING_CHANNEL
        vouched = await self._vouched(caller.address) if is_known else ()
        return Requester(
            identity=caller.address.identity,
            vouched=tuple(map(SecretStr, vouched)),
            sources=caller.sources,
            is_private=caller.address.kind is PeerKind.PRIVATE,
            turn_id=caller.turn_id,
        )
