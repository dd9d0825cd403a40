"""Planner of the knowledge base in use, made once a reload and not once a turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from bot.dialogue.actions import Welcome
from bot.dialogue.decide import Dialogue
from bot.dialogue.policy import Policy
from bot.tools.tool import Tools
from bot.turn.knowledge import Knowledge
from bot.turn.planner import Planner
from bot.turn.reading import SlotReaders
from connectors.messages import Attachment
from handoff.desk.desk import Desk
from handoff.machine.rules import Rules
from knowledge_base.recognition.loader import KnowledgeBase
from knowledge_base.source.tool_spec import ToolSpecs

_REMEMBERED = 512


class CurrentPlanner:
    """Planner of the knowledge base in use.

    Args:
        specs: Declarations of the tools.
        tools_in: The tools, telling times in a time zone.
        desk: Knows when people are there.
        choose: An index below the given count.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        *,
        specs: ToolSpecs,
        tools_in: Callable[[ZoneInfo], Tools],
        rules: Rules,
        desk: Desk,
        has_mail: bool,
        pictures: Callable[[], Mapping[str, Attachment]],
        choose: Callable[[int], int],
    ) -> None:
        self._knowledge = knowledge
        self._specs = specs
        self._tools_in = tools_in
        self._rules = rules
        self._desk = desk
        self._has_mail = has_mail
        self._pictures = pictures
        self._choose = choose
        self._made_of: KnowledgeBase | None = None
        self._planner: Planner | None = None

    def __call__(self) -> Planner:
        """Return the planner in use."""
        current = self._knowledge.current
        if self._planner is None or self._made_of is not current:
            self._made_of, self._planner = current, self._make(current)
        return self._planner

    def _make(self, kb: KnowledgeBase) -> Planner:
        policy = Policy(
            misses_before_handoff=kb.policy.misses_before_handoff,
            repeats_before_handoff=kb.policy.repeats_before_handoff,
        )
        # a turn asks twice: whether the sentence is whole, and what it wants
        questions = lru_cache(maxsize=_REMEMBERED)(kb.recognizer.questions)
        return Planner(
            intents=kb.intents,
            titles={name: intent.title for name, intent in kb.intents.items()},
            shop=shop_variables(kb),
            dialogue=Dialogue(kb.intents, questions, policy, self._specs),
            questions=questions,
            readers=SlotReaders.of(self._specs),
            specs=self._specs,
            tools=self._tools_in(kb.shop.zone),
            rules=self._rules,
            when_open=lambda is_english: self._desk.when_back(is_english=is_english),
            mode=self._desk.mode,
            has_mail=self._has_mail,
            pictures=self._pictures,
            choose=self._choose,
            welcome=Welcome(kb.shop.welcome or "", tuple(kb.shop.welcome_buttons)),
            privacy=kb.shop.privacy,
        )


def shop_variables(kb: KnowledgeBase) -> Mapping[str, Any]:
    """The ``shop.*`` variables of answers."""
    return {
        "name": kb.shop.name,
        "hours": kb.shop.hours.text,
        "timezone": kb.shop.timezone,
        "website": kb.shop.website or "",
        "service_email": kb.shop.service_email or "",
    }
