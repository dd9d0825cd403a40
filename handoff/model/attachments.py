"""Attachments of messages: those still to be fetched, and how much is stored."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.messages import Attachment, ChannelRef, MediaHandle, MessageId


@dataclass(frozen=True, slots=True)
class Awaited:
    """A file that lies with a platform, and this process has taken to fetch.

    Attributes:
        attempts: Which attempt this is, from 1.
        owner: The identity that sent it.
        source: The group or person that its quota is counted by; ``None`` in old rows.
    """

    attachment: Attachment
    media: MediaHandle
    ref: ChannelRef
    message_id: MessageId
    attempts: int
    owner: str
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Files that are, or were, kept."""

    files: int = 0
    size: int = 0
