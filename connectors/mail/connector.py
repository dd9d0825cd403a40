"""Mail as a channel that only sends: codes and cards to the contact on an order."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import formatdate

import aiosmtplib
from pydantic import SecretStr

from connectors.errors import AuthError, Rejected, Retryable, SendError, Undeliverable
from connectors.kit.base import BaseConnector
from connectors.messages import (
    Capabilities,
    ChannelRef,
    Outbound,
    SendResult,
    SendStatus,
    Unit,
)

TIMEOUT_S = 15.0
_PERMANENT = 500
"""SMTP replies from 500 up are final (RFC 5321, section 4.2.1)."""


@dataclass(frozen=True, slots=True)
class SmtpAccount:
    """Where and as whom mail is sent.

    Attributes:
        security: ``tls``, ``starttls`` or ``none``.
    """

    host: str
    port: int
    user: str | None
    password: SecretStr | None
    sender: str
    security: str


class MailConnector(BaseConnector):
    """Implements ``connectors.messages.Connector`` over SMTP."""

    def __init__(self, account: SmtpAccount, clock: Callable[[], datetime]) -> None:
        super().__init__(ChannelRef("mail", "smtp"))
        self._account = account
        self._clock = clock
        self.pulse.sending.up()

    @property
    def capabilities(self) -> Capabilities:
        """Text only. A mail may arrive twice, but under one Message-ID, which readers fold."""
        return Capabilities(max_text=100_000, composes=True, send_idempotent=True)

    async def send(self, unit: Unit) -> SendResult:
        """Send one mail.

        Raises:
            SendError: With the server's reply code, never with the address or the text.
        """
        try:
            await self._send(unit.outbound)
        except SendError as error:
            self.pulse.sending.degraded(str(error))
            raise
        self.pulse.sent(self._clock())
        return SendResult(SendStatus.ACCEPTED)

    async def _send(self, message: Outbound) -> None:
        account = self._account
        password = account.password.get_secret_value() if account.password is not None else None
        try:
            await aiosmtplib.send(
                self._composed(message),
                hostname=account.host,
                port=account.port,
                username=account.user,
                password=password,
                use_tls=account.security == "tls",
                start_tls=account.security == "starttls",
                timeout=TIMEOUT_S,
                tls_context=ssl.create_default_context() if account.security != "none" else None,
            )
        except aiosmtplib.SMTPAuthenticationError as error:
            raise AuthError(str(error.code), "the mail server refuses our login") from error
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise Undeliverable("recipient", "the mail server refuses the recipient") from error
        except aiosmtplib.SMTPResponseException as error:
            kind = Rejected if error.code >= _PERMANENT else Retryable
            raise kind(str(error.code), "the mail server refused") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Retryable(type(error).__name__, "the mail server cannot be reached") from error
        except ValueError as error:
            raise Undeliverable("address", "that is no mail address") from error

    def _composed(self, message: Outbound) -> EmailMessage:
        """The mail.

        Raises:
            ValueError: An address or a subject with a line break in it.
        """
        mail = EmailMessage()
        mail["From"] = self._account.sender
        mail["To"] = message.address.peer_id
        mail["Subject"] = message.subject or ""
        mail["Date"] = formatdate(message.at.timestamp())
        mail["Message-ID"] = f"<{message.outbox_id}@kefu>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies, please
        mail.set_content(message.text)
        return mail
