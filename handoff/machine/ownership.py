"""Ownership: the one who may speak in a conversation, and what the bot may say in it."""

from __future__ import annotations

from enum import StrEnum

from handoff.model.conversation import Conversation, State, WaitingMode


class BotPermission(StrEnum):
    """Permission of the bot to speak to the customer."""

    ANSWERS = "answers"
    NOTICES_ONLY = "notices_only"
    ANSWERS_WITH_PROMISE = "answers_with_promise"
    NOTHING = "nothing"


def owner_of(conversation: Conversation) -> str:
    """Name the one who may speak: ``bot``, ``queue``, ``agent:ID``, ``external``, ``none``."""
    match conversation.state:
        case State.BOT:
            return "bot"
        case State.WAITING:
            return "queue"
        case State.AGENT:
            return f"agent:{conversation.assignee}"
        case State.EXTERNAL:
            return "external"
        case State.CLOSED:
            return "none"


def bot_permission(conversation: Conversation) -> BotPermission:
    """Tell what the bot may say to the customer now."""
    match conversation.state, conversation.mode:
        case State.BOT, _:
            return BotPermission.ANSWERS
        case State.WAITING, WaitingMode.AFTER_HOURS:
            return BotPermission.ANSWERS_WITH_PROMISE
        case State.WAITING, _:
            return BotPermission.NOTICES_ONLY
        case _:
            return BotPermission.NOTHING
