"""Turns: what was decided, and why."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime

from sqlalchemy import Connection

from handoff.conversation import Conversation
from handoff.transcript import TurnReasons
from storage.keyring import Keyring
from storage.tables.messaging import turns

_INSERT = turns.insert()


class TurnRows:
    """Implements ``bot.turns.Turns``."""

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
