"""What QQ signed is let in, and nothing that could pass for it is ever signed."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from connectors.errors import BadWebhook
from connectors.qq.signing import Signatures, seed
from connectors.qq.webhook import Door, read_envelope
from devkit.qq import APP_ID, SECRET
from devkit.qq.webhook import signature
from tests.connectors.qq.conftest import payload

THEN = datetime.fromtimestamp(1725442341, UTC)
STAMP = "1725442341"
OTHER_SECRET = "naOC0ocQE3shWLAfffVLB1rhYPG7"
PROOF = (
    "87befc99c42c651b3aac0278e71ada338433ae26fcb24307bdc5ad38c1adc2d0"
    "1bcfcadc0842edac85e85205028a1132afe09280305f13aa6909ffc2d652c706"
)
BODY = b'{ "op": 0,"d": {}, "t": "GATEWAY_EVENT_NAME"}'
BODY_SIGNATURE = (
    "2eb9983ebb8bb209e78fd095942f58e442656656e7975d01e64f9023a84b7c96"
    "4290fdd40e5500c33867ccfe9563b7e0b6bac0e1d42c13e787b304fd51f71102"
)
BODIES = st.binary(max_size=200)


def signatures(secret: str = SECRET, app_id: str = APP_ID) -> Signatures:
    return Signatures(app_id, SecretStr(secret), max_age_s=600)


def headers(sign: str, stamp: str = STAMP, app_id: str = APP_ID) -> dict[str, str]:
    return {
        "X-Signature-Ed25519": sign,
        "X-Signature-Timestamp": stamp,
        "X-Bot-Appid": app_id,
    }


def test_the_check_of_the_address_is_answered_as_documented() -> None:
    d = payload("url_check")["d"]
    proof = signatures().proof({"X-Bot-Appid": APP_ID}, d["plain_token"], d["event_ts"], THEN)
    assert proof == {"plain_token": "Arq0D5A61EgUu4OxUvOp", "signature": PROOF}


def test_a_body_is_verified_with_the_key_of_the_secret() -> None:
    signatures(OTHER_SECRET).verify(headers(BODY_SIGNATURE), BODY, THEN)
    assert signature(OTHER_SECRET, STAMP, BODY) == BODY_SIGNATURE


@given(st.text(min_size=1, max_size=80))
def test_a_seed_is_the_secret_over_and_over(secret: str) -> None:
    found = seed(secret)
    raw = secret.encode()
    assert len(found) == 32
    assert found == (raw * 32)[:32]


def test_an_empty_secret_has_no_seed() -> None:
    with pytest.raises(ValueError, match="empty"):
        seed("")


@given(BODIES)
def test_what_is_signed_is_let_in(body: bytes) -> None:
    signatures().verify(headers(signature(SECRET, STAMP, body)), body, THEN)


@given(BODIES, BODIES, st.integers(0, 63), st.integers(1, 255))
def test_what_was_changed_is_refused(body: bytes, other: bytes, place: int, flip: int) -> None:
    good = signature(SECRET, STAMP, body)
    spoilt = bytearray.fromhex(good)
    spoilt[place] ^= flip
    attempts = [
        (headers(spoilt.hex()), body),
        (headers(good, stamp=str(int(STAMP) + 1)), body),
        (headers(good, app_id="22222222"), body),
        (headers(signature(OTHER_SECRET, STAMP, body)), body),
    ]
    if other != body:
        attempts.append((headers(good), other))
    for head, content in attempts:
        with pytest.raises(BadWebhook) as refused:
            signatures().verify(head, content, THEN)
        assert refused.value.status == 401


@pytest.mark.parametrize(
    ("skew_s", "is_in"), [(599, True), (-599, True), (601, False), (-601, False)]
)
def test_an_old_signature_is_refused_and_a_skewed_clock_is_not(skew_s: int, is_in: bool) -> None:
    stamp = str(int(STAMP) - skew_s)
    head = headers(signature(SECRET, stamp, BODY), stamp)
    if is_in:
        signatures().verify(head, BODY, THEN)
        return
    with pytest.raises(BadWebhook):
        signatures().verify(head, BODY, THEN)


@pytest.mark.parametrize(
    "sign",
    [
        "",
        "zz",
        BODY_SIGNATURE[:-2],
        BODY_SIGNATURE + "00",
        BODY_SIGNATURE[:-2] + "e2",
        " " + BODY_SIGNATURE,
        "٣" * 128,
    ],
)
def test_a_signature_of_another_form_is_refused(sign: str) -> None:
    with pytest.raises(BadWebhook):
        signatures(OTHER_SECRET).verify(headers(sign), BODY, THEN)


@pytest.mark.parametrize(
    "stamp", ["", "1725442341 ", "１７２５４４２３４１", "-1725442341", "1" * 13]
)
def test_a_time_of_another_form_is_refused(stamp: str) -> None:
    with pytest.raises(BadWebhook):
        signatures().verify(headers(signature(SECRET, stamp, BODY), stamp), BODY, THEN)


# ---------------------------------------------------------------- no oracle


@pytest.mark.parametrize(
    ("token", "event_ts", "app_id", "status"),
    [
        ('{"op":0,"t":"C2C_MESSAGE_CREATE"}', STAMP, APP_ID, 403),
        ("", STAMP, APP_ID, 403),
        ("a" * 65, STAMP, APP_ID, 403),
        ("abc\n", STAMP, APP_ID, 403),
        ("ａｂｃ", STAMP, APP_ID, 403),
        (7, STAMP, APP_ID, 403),
        ("abc", STAMP + '{"op":0}', APP_ID, 403),
        ("abc", "1725440000", APP_ID, 403),
        ("abc", 1725442341, APP_ID, 403),
        ("abc", None, APP_ID, 403),
        ("abc", STAMP, "22222222", 401),
        ("abc", STAMP, None, 401),
    ],
)
def test_only_a_harmless_token_and_a_present_time_are_signed(
    token: object, event_ts: object, app_id: str | None, status: int
) -> None:
    head = {} if app_id is None else {"X-Bot-Appid": app_id}
    with pytest.raises(BadWebhook) as refused:
        signatures().proof(head, token, event_ts, THEN)
    assert refused.value.status == status


@given(st.text(max_size=80), st.integers(0, 40))
def test_nothing_that_we_sign_is_an_event(token: str, cut: int) -> None:
    """However the signed text is divided into a time and a body."""
    try:
        proof = signatures().proof({"X-Bot-Appid": APP_ID}, token, STAMP, THEN)
    except BadWebhook:
        return
    signed = STAMP + token
    stamp, body = signed[:cut], signed[cut:].encode()
    with pytest.raises(BadWebhook):
        Door(signatures()).admit(headers(proof["signature"], stamp), body, THEN)


# ---------------------------------------------------------------- the door


def test_an_unsigned_check_is_answered_only_until_the_first_event() -> None:
    door = Door(signatures())
    check = json.dumps(payload("url_check")).encode()
    unsigned = {"X-Bot-Appid": APP_ID}
    assert door.proof(unsigned, door.admit(unsigned, check, THEN), THEN)["signature"] == PROOF
    body = json.dumps(payload("c2c_text")).encode()
    door.admit(headers(signature(SECRET, STAMP, body)), body, THEN)
    with pytest.raises(BadWebhook):
        door.admit(unsigned, check, THEN)
    signed = headers(signature(SECRET, STAMP, check))
    assert door.proof(signed, door.admit(signed, check, THEN), THEN)["signature"] == PROOF


def test_a_check_with_a_wrong_signature_is_not_answered() -> None:
    check = json.dumps(payload("url_check")).encode()
    with pytest.raises(BadWebhook):
        Door(signatures()).admit(headers(BODY_SIGNATURE), check, THEN)


@pytest.mark.parametrize("name", ["c2c_text", "heartbeat", "friend_add"])
def test_only_the_check_may_come_without_a_signature(name: str) -> None:
    with pytest.raises(BadWebhook) as refused:
        Door(signatures()).admit({}, json.dumps(payload(name)).encode(), THEN)
    assert refused.value.status == 401


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"op": "0"}', b'{"op": true}', b"\xff\xfe", b"[" * 100_000],
)
def test_what_nobody_can_read_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadWebhook) as refused:
        read_envelope(body)
    assert refused.value.status == 400
