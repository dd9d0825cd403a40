"""Events: everything that can happen to a conversation.

An event carries every fact that its transition needs, so that transitions are pure. Facts marked
*filled by the desk* may be left out by whoever reports the event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from handoff.model.conversation import AgentId, WaitingMode


class Reason(StrEnum):
    """The cause of a handoff, or of a takeover; worded in ``handoff.console.wording``."""

    ASKED = "asked"
    TWO_MISSES = "two_misses"
    REPEATED = "repeated"
    INTENT = "intent"
    TOOL_ERROR = "tool_error"
    BOT_ERROR = "bot_error"
    UNREADABLE_MEDIA = "unreadable_media"
    REOPENED = "reopened"
    TRANSFERRED = "transferred"
    CLAIM_LAPSED = "claim_lapsed"
    AGENT_LEFT = "agent_left"
    EXTERNAL_ENDED = "external_ended"
    TAKEOVER = "takeover"


class CloseReason(StrEnum):
    """The cause of a closing; worded in ``handoff.console.wording``."""

    AGENT = "agent"
    IDLE = "idle"
    CUSTOMER_SILENT = "customer_silent"
    EXTERNAL_ENDED = "external_ended"


@dataclass(frozen=True, slots=True)
class CustomerWrote:
    """The customer said, sent or pressed something.

    Attributes:
        reopens: ``False`` for thanks, a goodbye, a sticker or the CSAT answer: they leave a closed
            conversation closed.
        first_seq: Place of the message, where a new segment begins; ``None``: the newest message.
        mode: Whether somebody is there, should it be queued. Filled by the desk.
        free_agent_name: The name of the person who had it last, if online and under the cap, so
            that they get it back; ``None`` otherwise. Filled by the desk.
    """

    reopens: bool = True
    first_seq: int | None = None
    mode: WaitingMode | None = None
    free_agent_name: str | None = None


@dataclass(frozen=True, slots=True)
class HandoffRequested:
    """A person is needed.

    Attributes:
        summary: What the agent should know: ``wanted``, ``tried``, ``orders``.
        mode: Whether somebody is there. Filled by the desk.
    """

    reason: Reason
    summary: Mapping[str, Any] | None = None
    mode: WaitingMode | None = None


@dataclass(frozen=True, slots=True)
class BotFailed:
    """The bot raised, or had no answer in time, after one retry.

    Attributes:
        mode: Whether somebody is there. Filled by the desk.
    """

    mode: WaitingMode | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """An agent takes it out of the queue; ``name`` is told to the customer."""

    agent: AgentId
    name: str


@dataclass(frozen=True, slots=True)
class AgentSent:
    """An agent writes to the customer from the console; whoever had it, has it no longer.

    Attributes:
        takes_over: From another agent: only when said so.
    """

    agent: AgentId
    name: str
    takes_over: bool = False


@dataclass(frozen=True, slots=True)
class Acted:
    """The assignee does something with it that the customer does not see: a note, typing."""

    agent: AgentId


@dataclass(frozen=True, slots=True)
class Transferred:
    """The assignee passes it on, to a person or (``to`` is ``None``) to the queue.

    Attributes:
        note: For whoever gets it; must not be blank.
    """

    note: str
    to: AgentId | None = None
    name: str | None = None
    mode: WaitingMode | None = None


@dataclass(frozen=True, slots=True)
class GivenBack:
    """The assignee leaves the rest to the bot."""


@dataclass(frozen=True, slots=True)
class Closed:
    """An agent closes it."""


@dataclass(frozen=True, slots=True)
class LeftQueue:
    """The waiting customer no longer needs a person ("不用了")."""


@dataclass(frozen=True, slots=True)
class ChoseToWait:
    """Offered choices, the customer keeps waiting."""


@dataclass(frozen=True, slots=True)
class ChoseToLeaveMessage:
    """Offered choices, the customer leaves a message."""


@dataclass(frozen=True, slots=True)
class NativeReply:
    """Our account sent what we did not send: somebody answers in the channel's own app."""


@dataclass(frozen=True, slots=True)
class NativeEnded:
    """That person's session in the native app is over: the bot is there again."""


@dataclass(frozen=True, slots=True)
class NobodyOnline:
    """The last agent went away."""


@dataclass(frozen=True, slots=True)
class AgentLeft:
    """The assignee is gone for good, such as disabled."""

    mode: WaitingMode | None = None


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The conversation's ``due_at`` has come.

    Attributes:
        position: Its place in the queue now, from 1; ``None`` if it does not wait. Filled by the
            desk.
        wait_min: What is estimated to be left, in minutes. Filled by the desk.
        mode: Whether somebody is there. Filled by the desk.
    """

    position: int | None = None
    wait_min: int | None = None
    mode: WaitingMode | None = None


Event = (
    CustomerWrote
    | HandoffRequested
    | BotFailed
    | Claimed
    | AgentSent
    | Acted
    | Transferred
    | GivenBack
    | Closed
    | LeftQueue
    | ChoseToWait
    | ChoseToLeaveMessage
    | NativeReply
    | NativeEnded
    | NobodyOnline
    | AgentLeft
    | TimerFired
)
