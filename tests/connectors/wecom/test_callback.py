from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from wechatpy.enterprise.crypto import WeChatCrypto

from connectors.errors import BadWebhook
from connectors.wecom.callback import Callback, Notice
from devkit.wecom.callbacks import Callbacks
from devkit.wecom.platform import AES_KEY, CALLBACK_TOKEN, CORP_ID

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PLATFORM = Callbacks(CORP_ID, CALLBACK_TOKEN, AES_KEY)


def a_callback(corp_id: str = CORP_ID, token: str = CALLBACK_TOKEN) -> Callback:
    return Callback(
        corp_id,
        SecretStr(token),
        SecretStr(AES_KEY),
        clock_skew=timedelta(minutes=5),
        clock=lambda: NOW,
    )


def a_notice(at: datetime = NOW) -> tuple[dict[str, str], bytes]:
    query, body = PLATFORM.sealed(PLATFORM.notice("ENCtoken", "wkOne", at), at)
    return query, body.encode()


def refusal(query: dict[str, str], body: bytes, callback: Callback | None = None) -> int:
    with pytest.raises(BadWebhook) as caught:
        (callback or a_callback()).notice(query, body, NOW)
    return caught.value.status


def test_a_notice_says_which_account_and_with_which_token() -> None:
    query, body = a_notice()
    assert a_callback().notice(query, body, NOW) == Notice("wkOne", "ENCtoken")


def test_another_event_of_the_app_says_nothing() -> None:
    inner = "<xml><MsgType>event</MsgType><Event>subscribe</Event></xml>"
    query, body = PLATFORM.sealed(inner, NOW)
    assert a_callback().notice(query, body.encode(), NOW) is None


def test_the_known_signature_and_ciphertext_are_read() -> None:
    # reproduced with wechatpy's own crypto: key bytes 0 to 31
    sealed = (
        "2iovpwrdbG9xQ8R+S8Vsp9chqUjKOVV8s7xnKeI8Yi+ttlHMdKWtBEGgz3yChp/8DxC03vonSEZ/yqvWKieGpQ=="
    )
    query = {
        "msg_signature": "0f9e2669921a68b8e4f5144c87334394e5d69b66",
        "timestamp": "1700000000",
        "nonce": "nonce1",
        "echostr": sealed,
    }
    callback = a_callback("wx1234567890abcdef", "tok")
    at = datetime.fromtimestamp(1700000000, UTC)
    assert callback.echo(query, at) == "<xml><a>1</a></xml>"
    theirs = WeChatCrypto("tok", AES_KEY, "wx1234567890abcdef")
    assert theirs.check_signature(
        query["msg_signature"], "1700000000", "nonce1", sealed
    ) == callback.echo(query, at)


@pytest.mark.parametrize("part", ["msg_signature", "timestamp", "nonce"])
def test_a_changed_query_is_refused(part: str) -> None:
    query, body = a_notice()
    assert refusal({**query, part: query[part][:-1] + "x"}, body) in {400, 403}
    assert refusal({key: value for key, value in query.items() if key != part}, body) in {400, 403}


def test_a_changed_body_is_refused() -> None:
    query, body = a_notice()
    at = body.index(b"<Encrypt><![CDATA[") + 40
    other = b"A" if body[at : at + 1] != b"A" else b"B"
    assert refusal(query, body[:at] + other + body[at + 1 :]) == 403


def test_another_corporations_notice_is_refused() -> None:
    stranger = Callbacks("wwstranger", CALLBACK_TOKEN, AES_KEY)
    query, body = stranger.sealed(stranger.notice("t", "wkOne", NOW), NOW)
    assert refusal(query, body.encode()) == 403


@pytest.mark.parametrize(("minutes", "is_taken"), [(-6, False), (-4, True), (4, True), (6, False)])
def test_clocks_may_differ_a_little_and_old_notices_are_refused(
    minutes: int, is_taken: bool
) -> None:
    query, body = a_notice(NOW + timedelta(minutes=minutes))
    if is_taken:
        assert a_callback().notice(query, body, NOW) is not None
    else:
        assert refusal(query, body) == 403


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"<xml>",
        b"<xml></xml>",
        b"\xff\xfe\x00",
        b"<xml><Encrypt><a/></Encrypt></xml>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><xml><Encrypt>&a;</Encrypt></xml>',
    ],
)
def test_garbage_is_unreadable(body: bytes) -> None:
    query, _ = a_notice()
    assert refusal(query, body) == 400


@given(st.binary(max_size=80))
def test_whatever_is_sealed_is_refused_and_never_breaks(plain: bytes) -> None:
    # signed rightly, so that the decryption itself meets garbage
    callback = a_callback()
    query = PLATFORM._signed(plain.hex(), NOW)
    with pytest.raises(BadWebhook):
        callback.echo({**query, "echostr": plain.hex()}, NOW)


@pytest.mark.parametrize("digits", ["99999999999", "9" * 400, "²", "-1", ""])
def test_no_time_breaks_it(digits: str) -> None:
    query, body = a_notice()
    signed = {**query, "timestamp": digits}
    assert refusal(signed, body) in {400, 403}


def test_a_notice_that_comes_again_asks_for_no_second_reading() -> None:
    callback = a_callback()
    query, body = a_notice()
    assert callback.notice(query, body, NOW) is not None
    for _ in range(3):
        assert callback.notice(query, body, NOW) is None
    later, body = a_notice(NOW + timedelta(seconds=1))
    assert callback.notice(later, body, NOW) is not None


def test_nothing_of_a_body_is_parsed_before_its_signature_is_right() -> None:
    query, body = a_notice()
    bomb = b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + body
    assert refusal({**query, "msg_signature": "0" * 40}, bomb) == 403


@pytest.mark.parametrize("given_", ["\udcff", "\ud800" * 40, "暗号" * 20])
def test_a_signature_of_any_text_is_refused(given_: str) -> None:
    query, body = a_notice()
    assert refusal({**query, "msg_signature": given_}, body) == 403
