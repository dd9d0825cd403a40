"""Mail through a real SMTP server on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr

from connectors.errors import Rejected, Retryable, Undeliverable
from connectors.mail.connector import MailConnector, SmtpAccount
from connectors.messages import Address, ChannelRef, HealthState, Outbound
from tests.factories.messaging import a_unit, an_outbound
from tests.factories.process import free_port
from tests.factories.shop import NOON

MAIL = ChannelRef("mail", "smtp")
TO = "xiaoming@example.com"
SECRET = "STAR-7KQ2-M8XD-41VN-9CHT"


@dataclass
class Mailbox:
    """An SMTP server's handler: keeps mails, and refuses as it is told."""

    mails: list[EmailMessage] = field(default_factory=list)
    refuses_rcpt: str | None = None
    refuses_data: str | None = None

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        assert server is not None
        assert session is not None
        assert options is not None
        if self.refuses_rcpt:
            return self.refuses_rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        assert server is not None
        assert session is not None
        if self.refuses_data:
            return self.refuses_data
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def port(mailbox: Mailbox) -> Iterator[int]:
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller.port
    controller.stop()


def account(port: int, **more: Any) -> SmtpAccount:
    values: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "user": None,
        "password": None,
        "sender": "星辰点卡 <no-reply@example.com>",
        "security": "none",
    }
    return SmtpAccount(**{**values, **more})


def a_mail(to: str = TO) -> Outbound:
    return an_outbound(
        1,
        address=Address(MAIL, peer_id=to, user_id=to),
        text=f"您的卡密：{SECRET}\n请尽快使用。",
        subject="您的卡密（补发）",
        kind="mail",
        author="system",
    )


@pytest.fixture
def connector(port: int) -> MailConnector:
    return MailConnector(account(port), lambda: NOON)


async def test_a_mail_arrives_as_it_was_written(connector: MailConnector, mailbox: Mailbox) -> None:
    await connector.send(a_unit(a_mail()))
    (mail,) = mailbox.mails
    assert mail["To"] == TO
    assert str(mail["From"]) == "星辰点卡 <no-reply@example.com>"
    assert mail["Subject"] == "您的卡密（补发）"
    assert mail["Message-ID"] == "<O1@kefu>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().split() == [f"您的卡密：{SECRET}", "请尽快使用。"]
    assert connector.health().state is HealthState.UP
    assert connector.health().last_outbound_ok_at == NOON


async def test_the_same_mail_again_has_the_same_message_id(
    connector: MailConnector, mailbox: Mailbox
) -> None:
    await connector.send(a_unit(a_mail()))
    await connector.send(a_unit(a_mail()))
    assert len({mail["Message-ID"] for mail in mailbox.mails}) == 1


async def test_a_recipient_that_the_server_refuses_cannot_be_reached(
    connector: MailConnector, mailbox: Mailbox
) -> None:
    mailbox.refuses_rcpt = "550 no such user"
    with pytest.raises(Undeliverable) as caught:
        await connector.send(a_unit(a_mail()))
    assert TO not in str(caught.value)


async def test_a_passing_refusal_may_be_tried_again_and_a_final_one_may_not(
    connector: MailConnector, mailbox: Mailbox
) -> None:
    mailbox.refuses_data = "451 try later"
    with pytest.raises(Retryable):
        await connector.send(a_unit(a_mail()))
    assert connector.health().state is HealthState.DEGRADED
    mailbox.refuses_data = "554 spam"
    with pytest.raises(Rejected) as caught:
        await connector.send(a_unit(a_mail()))
    assert SECRET not in str(caught.value)
    mailbox.refuses_data = None
    await connector.send(a_unit(a_mail()))
    assert connector.health().state is HealthState.UP


async def test_a_server_that_is_away_may_be_tried_again() -> None:
    connector = MailConnector(account(free_port()), lambda: NOON)
    with pytest.raises(Retryable) as caught:
        await connector.send(a_unit(a_mail()))
    assert not caught.value.maybe_sent


@pytest.mark.parametrize("to", ["a@b.c\r\nBcc: everybody@example.com", "a\nb", ""])
async def test_an_address_that_is_none_never_reaches_the_server(
    connector: MailConnector, mailbox: Mailbox, to: str
) -> None:
    with pytest.raises(Undeliverable):
        await connector.send(a_unit(a_mail(to)))
    assert mailbox.mails == []


async def test_nothing_of_an_account_is_shown_by_its_repr() -> None:
    shown = repr(account(25, user="u", password=SecretStr("smtp password")))
    assert "smtp password" not in shown
