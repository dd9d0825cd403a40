"""The tools that there are. A new one is added here."""

from __future__ import annotations

from collections.abc import Iterable

from bot.tools.cards import CARD_STATUS
from bot.tools.orders import ORDER_LOOKUP
from bot.tools.products import PRODUCT_LOOKUP
from bot.tools.resend import CARD_RESEND
from bot.tools.tool import Tool
from knowledge_base.source.tool_spec import ToolSpecs

TOOLS: tuple[Tool, ...] = (ORDER_LOOKUP, CARD_RESEND, CARD_STATUS, PRODUCT_LOOKUP)


def specs_of(tools: Iterable[Tool]) -> ToolSpecs:
    """Return the declarations of tools, by name."""
    return {tool.spec.name: tool.spec for tool in tools}


TOOL_SPECS = specs_of(TOOLS)
