"""What can go wrong at a channel's edge.

ConnectorError
├── NotStored            the inbox could not be written: do not acknowledge
├── BadWebhook           a call that is not the platform's, or that nobody can read
├── BadChannels          channels.yaml cannot be used; says where and what to do
├── MediaError           a file could not be fetched
│   ├── MediaGone        it is no longer there, too large, or not allowed: asking again is no help
│   └── MediaBusy        the platform did not give it now
└── SendError            a message was not taken by the platform
    ├── Retryable        the same again may help, after ``retry_after_s``
    ├── RateLimited      the platform named a time to wait
    ├── WindowClosed     only the customer's next message opens it again
    ├── Undeliverable    this customer cannot be reached: blocked, left, unknown
    ├── Rejected         content or format refused: degrade once, then a person looks
    ├── AuthError        our token is refused
    └── Fatal            wrong configuration, banned account
"""

from __future__ import annotations


class ConnectorError(Exception):
    """Base of all errors of this folder."""


class NotStored(ConnectorError):
    """The inbox could not be written; nothing was kept.

    Attributes:
        retry_after_s: When trying again may help.
    """

    def __init__(self, reason: str, *, retry_after_s: float = 2.0) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class BadWebhook(ConnectorError):
    """A call to a webhook that we refuse; nothing of it is stored.

    Attributes:
        status: The HTTP status to answer: 400 unreadable, 401 or 403 not the platform's, 413 too
            large.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class BadChannels(ConnectorError):
    """channels.yaml cannot be used; the text says what, where and what to do."""


class MediaError(ConnectorError):
    """A file could not be fetched."""


class MediaGone(MediaError):
    """It is no longer there, too large, or not allowed.

    Attributes:
        code: ``expired``, ``too_large``, ``refused``.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class MediaBusy(MediaError):
    """The platform did not give it now; later it may."""


class SendError(ConnectorError):
    """A message was not taken.

    Attributes:
        code: The platform's own code, or ours.
        maybe_sent: The request left and no answer came: only an idempotent channel may repeat it.
    """

    def __init__(self, code: str, text: str, *, maybe_sent: bool = False) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.maybe_sent = maybe_sent


class Retryable(SendError):
    """A passing fault: 5xx, a dropped connection, a time-out."""


class RateLimited(SendError):
    """Too fast; the platform named the time to wait.

    Attributes:
        retry_after_s: At least this long.
        is_account: The whole account must wait, not this customer's messages alone.
    """

    def __init__(
        self, code: str, text: str, *, retry_after_s: float, is_account: bool = False
    ) -> None:
        super().__init__(code, text)
        self.retry_after_s = retry_after_s
        self.is_account = is_account


class WindowClosed(SendError):
    """The channel lets us speak again only after the customer's next message."""


class Undeliverable(SendError):
    """This customer cannot be reached."""


class Rejected(SendError):
    """The platform refused content or format.

    Attributes:
        is_format: The markup or the buttons, not the words: the same as plain text may pass.
    """

    def __init__(self, code: str, text: str, *, is_format: bool = False) -> None:
        super().__init__(code, text)
        self.is_format = is_format


class AuthError(SendError):
    """The platform refuses our credentials."""


class Fatal(SendError):
    """Nothing but a change of configuration helps."""
