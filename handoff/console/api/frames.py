"""Frames of the live list's WebSocket, as ``openapi.json`` and the console's types tell them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, RootModel

from handoff.console.fields import Out
from handoff.console.models import AgentOut, Counts, EventOut, KbStatus, Row


class HelloFrame(Out):
    """The greeting; everything after ``cursor`` follows."""

    type: Literal["hello"]
    cursor: int
    agent: AgentOut


class UpdateFrame(Out):
    """Changes up to ``cursor``, with the rows of the conversations that they concern."""

    type: Literal["update"]
    cursor: int
    conversations: list[Row]
    events: list[EventOut]
    counts: Counts


class TypingFrame(Out):
    """A customer is typing."""

    type: Literal["typing"]
    conversation_id: str


class PresenceFrame(Out):
    """Every agent, with what each is now."""

    type: Literal["presence"]
    agents: list[AgentOut]


class KbFrame(KbStatus):
    """The state of kb.yaml after it was read anew."""

    type: Literal["kb"]


class ResetFrame(Out):
    """Too much was missed to be told: everything must be loaded anew."""

    type: Literal["reset"]
    cursor: int


class LoggedOutFrame(Out):
    """The session has ended; the connection ends next."""

    type: Literal["logged_out"]


class PongFrame(Out):
    """The answer to a ping."""

    type: Literal["pong"]


class LiveFrame(
    RootModel[
        Annotated[
            HelloFrame
            | UpdateFrame
            | TypingFrame
            | PresenceFrame
            | KbFrame
            | ResetFrame
            | LoggedOutFrame
            | PongFrame,
            Field(discriminator="type"),
        ]
    ]
):
    """One frame from the server."""
