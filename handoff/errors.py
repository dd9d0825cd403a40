"""What a use case of this folder can refuse.

HandoffError
├── NoSuchConversation   no conversation by this id
├── Conflict             somebody else changed it first: read again
├── IllegalTransition    the event cannot happen in this state
├── AlreadyClaimed       another agent was faster; it says who
├── NotAssignee          another agent holds it; it can be taken over
├── NotFound             no such message, secret, file, agent
├── Refused              the request makes no sense as it is; the text tells the agent why
│   └── Unstorable       no database keeps such a character or number
├── WrongPassword        (sessions) wrong username or password
├── LockedOut            (sessions) too many wrong tries, after ``retry_after_s``
├── WeakPassword         (passwords) too short
├── BadAgent             (agents) a username that cannot be used
├── PanelUnavailable     the shop's orders cannot be read now
└── StorageUnavailable   the database cannot be written now; nothing was changed
"""

from __future__ import annotations


class HandoffError(Exception):
    """Base of all errors of this folder."""


class NoSuchConversation(HandoffError):
    """There is no conversation by this id."""


class Conflict(HandoffError):
    """The row changed since it was read."""


class IllegalTransition(HandoffError):
    """The event cannot happen in this state."""


class StorageUnavailable(HandoffError):
    """The database cannot be reached or written (a full disk, a lost server)."""


class AlreadyClaimed(HandoffError):
    """Another agent was faster.

    Attributes:
        assignee: Who has it.
        name: Their name.
    """

    def __init__(self, assignee: str, name: str) -> None:
        super().__init__("claimed by another agent")
        self.assignee = assignee
        self.name = name


class NotAssignee(HandoffError):
    """Another agent holds it; it can be taken over if one says so.

    Attributes:
        assignee: Who has it.
        name: Their name.
    """

    def __init__(self, assignee: str, name: str) -> None:
        super().__init__("held by another agent")
        self.assignee = assignee
        self.name = name


class NotFound(HandoffError):
    """There is no such thing, or no longer; the text says what, in Chinese."""


class Refused(HandoffError):
    """The request makes no sense as it is; the text says why, in Chinese."""


class Unstorable(Refused):
    """A character or a number that no database keeps, or a text longer than its place."""


class PanelUnavailable(HandoffError):
    """The shop's orders cannot be read now."""
