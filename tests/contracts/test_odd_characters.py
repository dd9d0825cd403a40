"""What no database keeps: NUL, halves of characters, ids longer than their columns."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.messages import Address, InboundKind
from storage.storage import Storage
from tests.factories.messaging import WEB, an_inbound, received

HALF = "\ud800"


@pytest.mark.parametrize(
    "odd",
    [
        {"text": f"在吗\0{HALF}"},
        {"key": f"k\0{HALF}"},
        {"key": "k" * 500},
        {"client_id": f"c\0{HALF}" * 60},
        {"person_name": f"小\0明{HALF}" * 60},
        {"address": Address(WEB, peer_id=f"p\0{HALF}", user_id="u" * 500)},
        {"address": Address(WEB, peer_id="p" * 500, user_id="u\0")},
    ],
)
async def test_whatever_a_channel_calls_a_message_it_is_stored_once(
    storage: Storage, odd: dict[str, Any]
) -> None:
    first = await received(storage, an_inbound(**{"text": "在吗", "key": "1", **odd}))
    again = await received(storage, an_inbound(**{"text": "在吗", "key": "1", **odd}))
    assert [one.is_new for one in (*first, *again)] == [True, False]


async def test_two_long_ids_that_begin_alike_are_two_customers(storage: Storage) -> None:
    said = [
        an_inbound(key=end, address=Address(WEB, peer_id="p" * 500 + end, user_id="u" * 500 + end))
        for end in "ab"
    ]
    one, other = await received(storage, *said)
    assert one.conversation_id != other.conversation_id


@pytest.mark.parametrize("kind", [InboundKind.DEPARTURE, InboundKind.ARRIVAL])
async def test_odd_characters_of_an_event_do_not_stop_the_channel(
    storage: Storage, kind: InboundKind
) -> None:
    await received(storage, an_inbound(kind=kind, key=f"e\0{HALF}", detail=f"走了\0{HALF}" * 60))
    assert await received(storage, an_inbound("在吗", key="2"))
