from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import xmltodict
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from wechatpy.crypto import WeChatCrypto

from connectors.errors import BadWebhook
from connectors.wechat.callback import Callback, read
from devkit.wechat import payloads
from devkit.wechat.envelope import Envelope, signed
from devkit.wechat.platform import AES_KEY, APP_ID, ORIGINAL_ID

TOKEN = "tok"
"""The published vectors' own."""
STAMP = 1700000000
NOW = datetime.fromtimestamp(STAMP, UTC)
ENCRYPT = "2iovpwrdbG9xQ8R+S8Vsp9chqUjKOVV8s7xnKeI8Yi+ttlHMdKWtBEGgz3yChp/8DxC03vonSEZ/yqvWKieGpQ=="
SEALED = f"<xml><Encrypt>{ENCRYPT}</Encrypt></xml>".encode()
QUERY = {
    "timestamp": str(STAMP),
    "nonce": "nonce1",
    "msg_signature": "0f9e2669921a68b8e4f5144c87334394e5d69b66",
}
ECHO = {
    "timestamp": str(STAMP),
    "nonce": "nonce1",
    "signature": "cb1280606383b6651d19b1fe525f375d316683d5",
    "echostr": "5161239046321295842",
}
FIELDS = {
    "ToUserName": ORIGINAL_ID,
    "FromUserName": "oAlice",
    "CreateTime": STAMP,
    **payloads.text("在吗"),
    "MsgId": 7,
}


def a_callback(key: str | None = AES_KEY, app_id: str = APP_ID) -> Callback:
    secret = None if key is None else SecretStr(key)
    return Callback(app_id, SecretStr(TOKEN), secret, clock_skew=timedelta(minutes=5))


def test_the_platforms_question_is_answered_with_its_own_words() -> None:
    assert a_callback().echo(ECHO, NOW) == "5161239046321295842"


@pytest.mark.parametrize("field", ["signature", "timestamp", "nonce"])
def test_a_question_by_somebody_else_is_refused(field: str) -> None:
    with pytest.raises(BadWebhook) as refused:
        a_callback().echo({**ECHO, field: "1700000001"}, NOW)
    assert refused.value.status == 403


def test_the_sealed_vector_opens() -> None:
    assert a_callback().opened(QUERY, SEALED, NOW) == "<xml><a>1</a></xml>"


def test_a_tampered_seal_under_the_same_signature_is_refused() -> None:
    with pytest.raises(BadWebhook, match="bad signature"):
        a_callback().opened(QUERY, SEALED.replace(b"2iov", b"3iov"), NOW)


@pytest.mark.parametrize(
    ("callback", "encrypt"),
    [
        (a_callback(app_id="wx_another"), ENCRYPT),
        (a_callback(AES_KEY[::-1][:42] + "8"), ENCRYPT),
        (a_callback(), "bm90IGEgYmxvY2s="),
        (a_callback(), "A" * 64),
    ],
)
def test_what_does_not_open_is_refused_although_it_is_signed(
    callback: Callback, encrypt: str
) -> None:
    signature = signed(TOKEN, str(STAMP), "nonce1", encrypt)
    body = f"<xml><Encrypt>{encrypt}</Encrypt></xml>".encode()
    with pytest.raises(BadWebhook) as refused:
        callback.opened({**QUERY, "msg_signature": signature}, body, NOW)
    assert refused.value.status == 403


@pytest.mark.parametrize(
    ("age_s", "is_taken"), [(0, True), (299, True), (-299, True), (301, False), (-301, False)]
)
def test_an_old_signature_is_refused_and_a_wrong_clock_within_limits_is_not(
    age_s: int, is_taken: bool
) -> None:
    now = NOW + timedelta(seconds=age_s)
    if is_taken:
        assert a_callback().opened(QUERY, SEALED, now)
    else:
        with pytest.raises(BadWebhook, match="too old"):
            a_callback().opened(QUERY, SEALED, now)


@pytest.mark.parametrize("mode", ["plain", "compat", "safe"])
def test_every_mode_gives_the_same_message(mode: str) -> None:
    query, body = Envelope(TOKEN, AES_KEY, APP_ID, mode).push(FIELDS, STAMP)
    callback = a_callback(None if mode == "plain" else AES_KEY)
    assert read(callback.opened(query, body.encode(), NOW)).content == "在吗"


def test_in_compatible_mode_nobody_believes_the_plain_fields() -> None:
    query, body = Envelope(TOKEN, AES_KEY, APP_ID, "compat").push(FIELDS, STAMP)
    forged = body.replace("oAlice", "oMallory").replace("在吗", "退款")
    message = read(a_callback().opened(query, forged.encode(), NOW))
    assert (message.source, message.content) == ("oAlice", "在吗")


def test_an_unsealed_push_is_refused_where_seals_are_agreed() -> None:
    query, body = Envelope(TOKEN, AES_KEY, APP_ID, "plain").push(FIELDS, STAMP)
    with pytest.raises(BadWebhook, match="not sealed"):
        a_callback().opened(query, body.encode(), NOW)


@given(st.binary(max_size=300))
def test_no_body_does_worse_than_being_refused(body: bytes) -> None:
    with pytest.raises(BadWebhook):
        a_callback().opened(QUERY, body, NOW)


@given(st.text(max_size=100))
def test_no_document_does_worse_than_holding_no_message(document: str) -> None:
    with pytest.raises(BadWebhook):
        read(document)


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><xml><MsgType>&e;</MsgType></xml>',
        "<xml><MsgType>text</MsgType><MsgType>text</MsgType></xml>",
        "<xml><Content>no kind</Content></xml>",
    ],
)
def test_strange_documents_hold_no_message(document: str) -> None:
    with pytest.raises(BadWebhook):
        read(document)


@pytest.mark.parametrize("mode", ["plain", "compat", "safe"])
@pytest.mark.parametrize("text", ["好的 😀", "a]]>b", "<b>1 & 2</b>"])
def test_a_reply_reads_as_the_platform_wants_it(mode: str, text: str) -> None:
    envelope = Envelope(TOKEN, AES_KEY, APP_ID, mode)
    query, body = envelope.push(FIELDS, STAMP)
    callback = a_callback(None if mode == "plain" else AES_KEY)
    message = read(callback.opened(query, body.encode(), NOW))
    reply = envelope.read_reply(callback.reply(message, text, NOW, "n1"))
    assert reply is not None
    assert (reply["ToUserName"], reply["FromUserName"]) == ("oAlice", ORIGINAL_ID)
    assert (reply["MsgType"], reply["Content"]) == ("text", text)


@pytest.mark.parametrize(
    "around", ["<!DOCTYPE x [<!ENTITY a 'b'>]><xml>{}</xml>", "<<<{}", "{}\xff"]
)
def test_nothing_of_a_body_is_parsed_before_its_signature_is_right(around: str) -> None:
    body = around.format(f"<Encrypt>{ENCRYPT}</Encrypt>").encode("latin-1")
    with pytest.raises(BadWebhook, match="bad signature"):
        a_callback().opened({**QUERY, "msg_signature": "0" * 40}, body, NOW)


def test_a_customer_who_writes_a_seal_into_compatible_mode_is_heard() -> None:
    words = "<Encrypt>QUJDREVG</Encrypt>"
    query, body = Envelope(TOKEN, AES_KEY, APP_ID, "compat").push(
        {**FIELDS, **payloads.text(words)}, STAMP
    )
    assert body.count("<Encrypt>") == 2
    assert read(a_callback().opened(query, body.encode(), NOW)).content == words


@pytest.mark.parametrize("mode", ["plain", "safe"])
@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE x [<!ENTITY e "x">]><xml><MsgType>text</MsgType><Content>&e;</Content></xml>',
        "<xml>" + "<a>" * 20_000 + "</a>" * 20_000 + "</xml>",
    ],
)
def test_a_signature_does_not_make_a_bomb_welcome(mode: str, document: str) -> None:
    query = Envelope(TOKEN, AES_KEY, APP_ID, "plain").query(STAMP)
    body, callback = document, a_callback(None if mode == "plain" else AES_KEY)
    if mode == "safe":
        crypto = WeChatCrypto(TOKEN, AES_KEY, APP_ID)
        body = crypto.encrypt_message(document, query["nonce"], query["timestamp"])
        query["msg_signature"] = xmltodict.parse(body)["xml"]["MsgSignature"]
    with pytest.raises(BadWebhook, match="not the XML"):
        callback.opened(query, body.encode(), NOW)


@pytest.mark.parametrize("given_", ["\udcff", "\ud800" * 40, "暗号" * 20, "0f9e" + "é" * 36])
def test_a_signature_of_any_text_is_refused(given_: str) -> None:
    with pytest.raises(BadWebhook, match="bad signature"):
        a_callback().echo({**ECHO, "signature": given_}, NOW)
    with pytest.raises(BadWebhook, match="bad signature"):
        a_callback().opened({**QUERY, "msg_signature": given_}, SEALED, NOW)
