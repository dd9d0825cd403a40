from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from aiogram.methods import SendMessage

from connectors.errors import (
    AuthError,
    RateLimited,
    Rejected,
    Retryable,
    SendError,
    Undeliverable,
)
from connectors.telegram.refusals import Moved
from tests.connectors.telegram.conftest import Stand

SAID = "卡密是 XYZ-123"


def bad(description: str, **parameters: Any) -> dict[str, Any]:
    return {
        "kind": "error",
        "code": 400,
        "fields": {"description": description, **parameters},
    }


def too_many(description: str, **parameters: Any) -> dict[str, Any]:
    return {**bad(description, **parameters), "code": 429}


def answer(status: int, body: str) -> dict[str, Any]:
    return {
        "kind": "status",
        "status": status,
        "body": body,
        "content_type": "application/json",
    }


Row = tuple[dict[str, Any], type[SendError], str, dict[str, object]]

FORMAT: dict[str, object] = {"is_format": True}
CUT_OFF: dict[str, object] = {"maybe_sent": True}
TABLE: list[Row] = [
    (too_many("retry after 7", retry_after=7), RateLimited, "429", {"retry_after_s": 7.0}),
    (too_many("retry after 9"), RateLimited, "429", {"retry_after_s": 9.0}),
    (too_many("slow down"), RateLimited, "429", {"retry_after_s": 5.0}),
    ({"kind": "error", "code": 403}, Undeliverable, "403", {}),
    ({"kind": "error", "code": 401}, AuthError, "401", {}),
    ({"kind": "error", "code": 404}, AuthError, "404", {}),
    ({"kind": "error", "code": 413}, Rejected, "413", {"is_format": False}),
    ({"kind": "error", "code": 409}, Retryable, "409", {"maybe_sent": False}),
    ({"kind": "error", "code": 500}, Retryable, "500", {"maybe_sent": False}),
    (answer(500, '{"ok":false}'), Retryable, "500", {}),
    ({"kind": "status", "status": 502}, Retryable, "502", {"maybe_sent": False}),
    ({"kind": "status", "status": 504}, Retryable, "unreadable", CUT_OFF),
    ({"kind": "status", "status": 200}, Retryable, "unreadable", CUT_OFF),
    (answer(200, "[]"), Retryable, "unreadable", CUT_OFF),
    (answer(302, ""), Retryable, "302", {}),
    ({"kind": "garbage"}, Retryable, "unreadable", CUT_OFF),
    ({"kind": "drop_before"}, Retryable, "ServerDisconnectedError", CUT_OFF),
    ({"kind": "drop_after"}, Retryable, "ServerDisconnectedError", CUT_OFF),
    ({"kind": "hang"}, Retryable, "SocketTimeoutError", CUT_OFF),
    (bad("chat not found"), Undeliverable, "400", {}),
    (bad("PEER_ID_INVALID"), Undeliverable, "400", {}),
    (bad("not enough rights to send text messages to the chat"), Undeliverable, "400", {}),
    (bad(f'can\'t parse entities: Unsupported start tag "{SAID}"'), Rejected, "400", FORMAT),
    (bad("BUTTON_DATA_INVALID"), Rejected, "400", FORMAT),
    (bad("reply markup is too long"), Rejected, "400", FORMAT),
    (bad("message is too long"), Rejected, "400", {"is_format": False}),
    (bad(f"something new about {SAID}"), Rejected, "400", {"is_format": False}),
    (bad("upgraded", migrate_to_chat_id=-100), Moved, "migrated", {"chat_id": -100}),
]


@pytest.mark.parametrize(
    "row", TABLE, ids=[f"{n}-{row[1].__name__}" for n, row in enumerate(TABLE)]
)
async def test_an_error_says_what_helps_and_repeats_nothing(stand: Stand, row: Row) -> None:
    fault, kind, code, more = row
    await stand.fake.arrives("小林")
    is_silent = fault["kind"] == "hang"
    connector = stand.makes(timeout_s=0.2 if is_silent else 5)
    stand.fake.faults.add(method="sendMessage", **fault)
    chat_id = stand.fake.state.user_id("小林")
    with pytest.raises(SendError) as caught:
        await connector._api.call(SendMessage(chat_id=chat_id, text=SAID))
    error = caught.value
    assert type(error) is kind
    if not is_silent:
        assert error.code == code
    for name, value in more.items():
        assert getattr(error, name) == value
    assert error.__cause__ is None
    assert error.__suppress_context__
    for secret in (stand.fake.token, str(chat_id), "XYZ", stand.fake.url):
        assert secret not in str(error)


async def test_what_never_left_may_be_sent_again(stand: Stand) -> None:
    await stand.fake.stop()
    with pytest.raises(Retryable) as caught:
        await stand.connector._api.me()
    assert caught.value.maybe_sent is False
    assert stand.fake.token not in str(caught.value)


async def test_a_bot_api_that_cannot_be_an_address_is_told_without_the_token(stand: Stand) -> None:
    connector = stand.makes(api_url="http://[broken")
    with pytest.raises(Retryable) as caught:
        await connector._api.me()
    assert stand.fake.token not in str(caught.value)
    assert isinstance(stand.house.host.http, aiohttp.ClientSession)


async def test_an_answer_with_unknown_fields_was_sent(stand: Stand) -> None:
    await stand.fake.arrives("小林")
    body = '{"ok":true,"result":{"message_id":9,"from":"?","date":"tomorrow"}}'
    stand.fake.faults.add(
        "status", "sendMessage", status=200, body=body, content_type="application/json"
    )
    result = await stand.says("小林", "您好")
    assert result.platform_ids == ("9",)
