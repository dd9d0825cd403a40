"""Turns: what was decided, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, desc, func, select

from connectors.messages import InboundKind
from handoff.model.conversation import Conversation
from handoff.model.transcript import TurnReasons
from knowledge_base.evaluation.missed import Missed
from storage.core.keyring import Keyring
from storage.tables.messaging import inbound, messages, turns

_INSERT = turns.insert()
_recent = (
    select(
        turns.c.id,
        func.lead(turns.c.id)
        .over(partition_by=turns.c.conversation_id, order_by=(turns.c.at, turns.c.id))
        .label("next_id"),
    )
    .where(turns.c.at >= bindparam("since"))
    .subquery()
)
_next = turns.alias("next_turns")
# A turn that speaks of an intent did something for it: only those without one can be misses.
_MISSED = (
    select(
        turns.c.id,
        turns.c.at,
        turns.c.conversation_id,
        turns.c.reasons,
        _next.c.intent.label("next_intent"),
        _next.c.reasons.label("next_reasons"),
    )
    .join(_recent, _recent.c.id == turns.c.id)
    .outerjoin(_next, _next.c.id == _recent.c.next_id)
    .where(turns.c.band.in_(("clarify", "miss")), turns.c.intent.is_(None))
    .order_by(desc(turns.c.at), desc(turns.c.id))
    .limit(bindparam("limit"))
)
_MISSED_ACTIONS = frozenset({"clarify", "fallback", "handoff"})
_IDS_AT_ONCE = 500


class TurnRows:
    """Implements ``bot.turn.worker.Turns``."""

    def __init__(self, connection: Connection, keyring: Keyring) -> None:  # noqa: ARG002 - one shape for all repositories
        self._connection = connection

    def add(
        self, conversation: Conversation, reasons: TurnReasons, *, at: datetime, took_ms: float
    ) -> None:
        """Store a turn of this conversation."""
        # not ``asdict``: it would copy every candidate's dict once more
        stored = {field.name: getattr(reasons, field.name) for field in fields(reasons)}
        turn_id = stored.pop("turn_id")
        self._connection.execute(
            _INSERT,
            {
                "id": turn_id,
                "conversation_id": conversation.id,
                "segment_id": conversation.segment_id,
                "at": at,
                "epoch": conversation.owner_epoch,
                "took_ms": took_ms,
                "band": reasons.band,
                "intent": reasons.intent,
                "reasons": stored,
            },
        )

    def missed(self, since: datetime, limit: int = 20_000) -> Sequence[Missed]:
        """What customers said and the bot did not understand, the newest first.

        That is: it said so, or called a person for it, or asked back and the customer chose
        nothing. Left out is what kb.yaml says that nothing should answer, what was said to a
        person, and answers to the bot's own questions.

        Args:
            limit: Most turns that are looked at, the newest.
        """
        parameters = {"since": since, "limit": limit}
        rows = self._connection.execute(_MISSED, parameters).mappings().all()
        missed = [row for row in rows if _is_missed(row["reasons"])]
        chosen = {row["id"]: _chosen(row["next_intent"], row["next_reasons"]) for row in missed}
        texts = self._said_in([row["id"] for row in missed])
        found = []
        for row in missed:
            was_clarified = "clarify" in row["reasons"]["actions"]
            if row["id"] in texts and not (was_clarified and chosen[row["id"]]):
                found.append(
                    Missed(
                        text=texts[row["id"]],
                        at=row["at"],
                        conversation=row["conversation_id"],
                        was_clarified=was_clarified,
                        chosen=chosen[row["id"]],
                    )
                )
        return found

    def _said_in(self, turn_ids: Sequence[str]) -> dict[str, str]:
        """Turn → what the customer wrote in it, its messages joined in their order."""
        said: dict[str, str] = {}
        for start in range(0, len(turn_ids), _IDS_AT_ONCE):
            rows = self._connection.execute(
                select(inbound.c.turn_id, messages.c.text)
                .join(messages, messages.c.id == inbound.c.message_id)
                .where(
                    inbound.c.turn_id.in_(turn_ids[start : start + _IDS_AT_ONCE]),
                    inbound.c.kind == InboundKind.MESSAGE.value,
                    messages.c.text != "",
                )
                .order_by(inbound.c.id)
            )
            for turn_id, text in rows:
                said[turn_id] = f"{said[turn_id]}\n{text}" if turn_id in said else text
        return said


def _is_missed(reasons: dict[str, Any]) -> bool:
    return bool(_MISSED_ACTIONS & set(reasons["actions"])) and reasons["rule"] != "out_of_scope"


def _chosen(intent: str | None, reasons: dict[str, Any] | None) -> str | None:
    """The intent of a turn in which a button was pressed, or its label typed."""
    return intent if reasons is not None and reasons["rule"] == "button" else None
