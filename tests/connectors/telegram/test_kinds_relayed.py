"""A shop's real Application relays every kind of message, and each reads as it does by polling."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from telegram import Update

from connectors.messages import Inbound, InboundKind
from connectors.telegram import telegram_relay
from connectors.telegram.mapping import Mapper
from devkit.telegram import FakeTelegram
from tests.connectors.telegram.conftest import REF, Stand, an_application
from tests.factories import telegram as kinds
from tests.factories.telegram import an_update

pytestmark = pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")


def comparable(found: Inbound) -> Inbound:
    """Without what differs by nature: when it came, and how a payload looks that nobody knows."""
    return replace(found, raw=None, received_at=found.platform_time or found.received_at)


async def test_every_kind_arrives_as_it_would_by_polling(stand: Stand, fake: FakeTelegram) -> None:
    url = await stand.serves(updates="relayed", webhook_secret="relay-secret_0123456789abcdef")
    account = stand.connector._account
    application: Any = an_application(fake).build()
    relay = telegram_relay.install(
        application, url=url + account.hook_path, secret=account.hook_secret, wait_s=20.0
    )
    updates = [
        an_update(number, **{name: value})
        for number, (name, value) in enumerate(sorted(kinds.values().items()), 100)
        # the chat and its writer are who is written to: others are no private messages
        if name not in {"chat", "from", "message_id"}
    ]
    async with application:
        await relay.start()
        for update in updates:
            await application.process_update(Update.de_json(update, application.bot))
        await relay.stop()
    assert (relay.relayed, relay.dropped) == (len(updates), 0)
    mapper = Mapper(REF, account.bot_id, "star_card_bot")
    now = stand.clock()
    expected = [one for update in updates for one in mapper.inbounds(update, now)]
    heard = {one.dedup_key: comparable(one) for one in stand.sink.messages}
    assert [heard[one.dedup_key] for one in expected] == [comparable(one) for one in expected]
    assert len(heard) == len(expected)
    shown = [one for one in expected if one.kind is InboundKind.MESSAGE]
    assert all(one.text or one.media for one in shown)
