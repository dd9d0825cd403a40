"""What is fuzzed, and what has to hold: no exception but the declared ones, bounded output."""

from __future__ import annotations

import json
import tempfile
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from pathlib import Path
from typing import Any

import atheris
from pydantic import BaseModel, SecretStr, ValidationError
from wechatpy.crypto import PrpCrypto

with atheris.instrument_imports(include=["bot", "connectors", "handoff", "knowledge_base"]):
    from bot.app.http.network import networks
    from bot.inbox.bounds import MAX_FILES, MAX_ORDER_CHARS, bounded
    from bot.sealing.finder import secrets_in
    from bot.tools.registry import TOOL_SPECS
    from connectors.app import mapping as app
    from connectors.app.webhook import read_frame
    from connectors.errors import BadWebhook
    from connectors.kit.payload import MAX_ID_CHARS, MAX_KEY_CHARS
    from connectors.media.multipart import file_in
    from connectors.messages import BUTTON_PREFIX, ChannelRef, Inbound, InboundKind
    from connectors.onebot import mapping as onebot
    from connectors.onebot import segments
    from connectors.qq import mapping as qq
    from connectors.qq.webhook import read_envelope
    from connectors.telegram import mapping as telegram
    from connectors.web import frames
    from connectors.wechat import callback as wechat_callback
    from connectors.wechat import mapping as wechat
    from connectors.wecom import callback as wecom_callback
    from connectors.wecom import mapping as wecom
    from handoff.console import models
    from knowledge_base.errors import KnowledgeBaseError
    from knowledge_base.source.source import read_source
    from knowledge_base.text.masks import masked
    from knowledge_base.text.normalize import Normalizer
    from knowledge_base.text.slots import (
        card_secrets,
        emails,
        order_numbers,
        phones,
    )

from tests.attack.fuzz.mangle import FIXTURES, mangled, samples

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
REF = ChannelRef("telegram", "main")
TOKEN = SecretStr("tokenOfTheFuzzedShop")
AES_KEY = SecretStr("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG")
APP_ID = "wx1234567890abcdef"
MOST_CHARS = 30_000
"""More than a message of any channel needs, and less than what would hurt."""
CARDS = ("STAR-A1ET-Q6J4-FZ6A-B3R2", "ABCD1234EFGH5678", "7K2M9P4Q8R3T6W1X")
MAILS = ("someone@example.com", "A.B-C@mail.example.cn")
PHONES = ("13800138000", "+86 138 0013 8000", "138-0013-8000")


# ---------------------------------------------------------------------- texts


_NORMALIZER = Normalizer([("卡密", "cdk", "卡蜜"), ("密码", "mima"), ("a", "aa", "b")])


def texts(data: bytes) -> None:
    """One spelling and masks: stable, bounded, and nothing but characters."""
    text = atheris.FuzzedDataProvider(data).ConsumeUnicode(4000)
    once = _NORMALIZER.normalize(text)
    assert _NORMALIZER.normalize(once) == once, "normalising twice changes something"
    assert len(once) <= MOST_CHARS
    assert len(masked(text)) <= len(text) + 1, "a mask is longer than what it hides"


def secrets(data: bytes) -> None:
    """Find what is to be sealed: in order, inside the text, and all of it."""
    fuzzed = atheris.FuzzedDataProvider(data)
    known = (*CARDS, *MAILS, *PHONES)
    secret = known[fuzzed.ConsumeIntInRange(0, len(known) - 1)]
    before, after = fuzzed.ConsumeUnicode(60), fuzzed.ConsumeUnicode(60)
    # what touches a code may well be a part of it: blanks, so that it is a word of its own
    text = f"{before} 。{secret}。 {after}"
    spans = secrets_in(text)
    end = 0
    for first, last, _kind in spans:
        assert end <= first < last <= len(text), f"spans out of order or range: {spans}"
        end = last
    for one in (*order_numbers(text), *card_secrets(text), *emails(text), *phones(text)):
        assert 0 <= one.start < one.end <= len(text)
    sealed = text
    for first, last, _kind in reversed(spans):
        sealed = f"{sealed[:first]}•{sealed[last:]}"
    assert secret in before + after or secret not in sealed, f"{secret} stays in {sealed!r}"


# ---------------------------------------------------------------------- channels

_PAYLOADS: Mapping[str, tuple[Any, ...]] = {
    "telegram": samples("telegram"),
    "qq": samples("qq"),
    "wecom": samples("wecom"),
    "onebot": (
        {
            "post_type": "message",
            "message_type": "private",
            "sub_type": "friend",
            "self_id": 1,
            "user_id": 2,
            "message_id": 3,
            "time": 1760000000,
            "message": [
                {"type": "text", "data": {"text": "在吗"}},
                {"type": "image", "data": {"file": "a.png", "url": "http://example.com/a"}},
                {"type": "reply", "data": {"id": "1"}},
                {"type": "at", "data": {"qq": "1"}},
            ],
            "sender": {"user_id": 2, "nickname": "小明", "card": ""},
        },
        {
            "post_type": "message",
            "message_type": "group",
            "group_id": 9,
            "user_id": 2,
            "message": "[CQ:at,qq=1] 在吗[CQ:image,file=a&#44;b.png]",
            "message_id": "3",
        },
        {"post_type": "notice", "notice_type": "friend_add", "user_id": 2, "time": 1},
        {"post_type": "message_sent", "message_type": "private", "target_id": 2, "message": "好"},
        {
            "post_type": "notice",
            "notice_type": "offline_file",
            "user_id": 2,
            "file": {"name": "a", "size": 1, "url": "http://example.com/a"},
        },
    ),
    "app": (
        {
            "id": "a1",
            "type": "message",
            "user": {"id": "u1", "name": "小明", "contacts": ["me@example.com"], "locale": "zh"},
            "text": "付了款没收到卡密",
            "attachments": [{"kind": "image", "url": "https://example.com/1.png"}],
            "at": "2026-11-23T12:00:00+08:00",
        },
        {"id": "a2", "type": "button", "user": {"id": "u1"}, "button": f"{BUTTON_PREFIX}M:0"},
        {
            "id": "a3",
            "type": "start",
            "user": {"id": "u1"},
            "attachments": [{"kind": "file", "data_base64": "AAAA", "name": "a", "mime": "a/b"}],
        },
    ),
}


def _telegram(update: Any) -> Iterable[Inbound]:
    return telegram.Mapper(REF, 42, "shop_bot").inbounds(update, NOW)


def _onebot(event: Any) -> Iterable[Inbound]:
    found = onebot.Mapper(REF, "1", lambda *_: False).inbound(event, NOW)
    return () if found is None else (found,)


def _wecom(item: Any) -> Iterable[Inbound]:
    hours = timedelta(hours=48)
    return wecom.Mapper(REF, "wk", hours, 5, timedelta(seconds=20)).inbounds(item, NOW)


def _qq(envelope: Any) -> Iterable[Inbound]:
    windows = qq.Windows(timedelta(hours=1), 5, timedelta(minutes=5), 5)
    mapper = qq.Mapper(REF, windows, lambda _id: None)
    read = read_envelope(json.dumps(envelope).encode())
    found = mapper.inbound(read, NOW)
    return () if found is None else (found,)


def _app(frame: Any) -> Iterable[Inbound]:
    return (app.inbound(REF, read_frame(json.dumps(frame).encode()), NOW),)


_MAPPERS: Mapping[str, Callable[[Any], Iterable[Inbound]]] = {
    "telegram": _telegram,
    "onebot": _onebot,
    "wecom": _wecom,
    "qq": _qq,
    "app": _app,
}


def payloads(data: bytes) -> None:
    """Every channel's events, each value replaced by anything: read, or refused as declared."""
    fuzzed = atheris.FuzzedDataProvider(data)
    channels = sorted(_MAPPERS)
    channel = channels[fuzzed.ConsumeIntInRange(0, len(channels) - 1)]
    event = mangled(fuzzed, _PAYLOADS[channel])
    # what is no object is refused before a mapper sees it, and so is an update without its number
    if not isinstance(event, dict) or not -(2**63) < _number(event) < 2**63:
        return
    try:
        for message in _MAPPERS[channel](event):
            _can_be_stored(message)
    except BadWebhook:
        pass


def _number(event: Mapping[str, Any]) -> int:
    number = event.get("update_id", 0)
    return number if isinstance(number, int) else 2**63


def _can_be_stored(message: Inbound) -> None:
    """As the mapper leaves it, and as it is stored: both databases take what can be looked up."""
    _is_kept_by_any_database(message)
    stored = bounded(message)
    _is_kept_by_any_database(stored)
    assert len(stored.text) <= MOST_CHARS
    assert len(stored.media) <= MAX_FILES
    # cutting once more changes nothing: a redelivery has the same key
    assert (stored.dedup_key, stored.address) == (message.dedup_key, message.address)


def _is_kept_by_any_database(message: Inbound) -> None:
    """Text is text, without NUL and half characters; keys and ids are there, and short."""
    address, window = message.address, message.window
    for text in (
        *(message.text, message.quoted, message.person_name, message.detail),
        *(message.album, message.reference, message.button_token, message.order_hint),
        *message.contacts,
        *(word for media in message.media for word in (media.name, media.mime)),
    ):
        told = text or ""
        assert isinstance(told, str), f"no text: {told!r}"
        assert "\0" not in told, f"NUL in {told!r}"
        told.encode()  # raises for a lone surrogate
    for key in (message.dedup_key, *([] if window is None else [window.key])):
        _is_name(key, MAX_KEY_CHARS)
    if message.kind is not InboundKind.OTHER:
        _is_name(address.peer_id, MAX_ID_CHARS)
        _is_name(address.user_id, MAX_ID_CHARS)
    assert len(message.order_hint or "") <= MAX_ORDER_CHARS
    json.dumps([dict(media.handle) for media in message.media]).encode()
    json.dumps({} if window is None else dict(window.data)).encode()


def _is_name(name: str, most: int) -> None:
    assert name, "a name is empty"
    assert len(name) <= most, f"{name!r} is longer than its column"
    assert "\0" not in name, f"NUL in {name!r}"
    name.encode()


def cq_strings(data: bytes) -> None:
    """OneBot's strings with codes in them: read whole, and written back they read the same."""
    text = atheris.FuzzedDataProvider(data).ConsumeUnicode(2000)
    read = segments.read(text)
    assert sum(len(str(one)) for one in read) <= 60 * (len(text) + 10)
    assert segments.unescape(segments.escape(text)) == text
    inside = segments.escape(text, is_parameter=True)
    assert not set("[],") & set(inside), "a parameter breaks out of its code"
    (one,) = segments.read(f"[CQ:at,qq={inside}]")
    assert one.get("qq") == text


def envelopes(data: bytes) -> None:
    """XML and sealed XML, signed as the platform signs: read, or refused as declared."""
    fuzzed = atheris.FuzzedDataProvider(data)
    kind = fuzzed.ConsumeIntInRange(0, 3)
    xml = fuzzed.ConsumeBytes(4000)
    try:
        if kind == 0:
            _reads(_wechat(None).opened(_signed("signature"), xml, NOW))
        elif kind == 1:
            sealed = PrpCrypto(_KEY).encrypt(xml.decode(errors="replace"), APP_ID).decode()
            body = f"<xml><Encrypt>{sealed}</Encrypt></xml>".encode()
            _reads(_wechat(AES_KEY).opened(_signed("msg_signature", sealed), body, NOW))
        elif kind == 2:
            sealed = PrpCrypto(_KEY).encrypt(xml.decode(errors="replace"), APP_ID).decode()
            body = f"<xml><Encrypt>{sealed}</Encrypt></xml>".encode()
            _wecom_callback().notice(_signed("msg_signature", sealed), body, NOW)
        else:
            # what was never sealed by anybody who knows the key
            text = xml.decode(errors="replace")
            body = f"<xml><Encrypt>{text}</Encrypt></xml>".encode()
            _wecom_callback().notice(_signed("msg_signature", text), body, NOW)
    except BadWebhook:
        pass


_KEY = b64decode(AES_KEY.get_secret_value() + "=")


def _wechat(aes_key: SecretStr | None) -> wechat_callback.Callback:
    return wechat_callback.Callback(APP_ID, TOKEN, aes_key, clock_skew=timedelta(minutes=5))


def _wecom_callback() -> wecom_callback.Callback:
    return wecom_callback.Callback(
        APP_ID, TOKEN, AES_KEY, clock_skew=timedelta(minutes=5), clock=lambda: NOW
    )


def _signed(name: str, *more: str) -> dict[str, str]:
    stamp = str(int(NOW.timestamp()))
    parts = sorted([TOKEN.get_secret_value(), stamp, "n", *more])
    # the platforms' choice
    signature = sha1("".join(parts).encode(errors="replace")).hexdigest()  # noqa: S324
    return {"timestamp": stamp, "nonce": "n", name: signature}


def _reads(xml: str) -> None:
    message = wechat_callback.read(xml)
    _can_be_stored(wechat.Mapper(REF).inbound(message, xml, NOW))


# ---------------------------------------------------------------------- requests

_MODELS = tuple(
    one
    for one in vars(models).values()
    if isinstance(one, type) and issubclass(one, BaseModel) and one.__name__.endswith("In")
)


def console(data: bytes) -> None:
    """Bodies of the console's API: a model, or a validation error."""
    fuzzed = atheris.FuzzedDataProvider(data)
    model = _MODELS[fuzzed.ConsumeIntInRange(0, len(_MODELS) - 1)]
    fields = dict.fromkeys(model.model_fields, "x")
    body = (
        fuzzed.ConsumeBytes(2000)
        if fuzzed.ConsumeBool()
        else json.dumps(mangled(fuzzed, [fields])).encode()
    )
    try:
        read = model.model_validate_json(body)
    except ValidationError:
        return
    # a lone surrogate would end here
    read.model_dump_json().encode()


_FRAMES = (
    {"type": "msg", "client_id": "c", "text": "在吗", "attachment_id": "a"},
    {"type": "press", "client_id": "c", "msg_id": "m", "button": "b"},
    {"type": "csat", "client_id": "c", "score": 5, "comment": "好"},
    {"type": "typing"},
    {"type": "history", "before": 3},
    {"type": "ping"},
)


def page_frames(data: bytes) -> None:
    """Frames of the chat page: one of ours, or none."""
    fuzzed = atheris.FuzzedDataProvider(data)
    if fuzzed.ConsumeBool():
        frames.parse(fuzzed.ConsumeBytes(4000))
        return
    found = frames.parse(json.dumps(mangled(fuzzed, _FRAMES)))
    if found is not None:
        found.model_dump_json().encode()


def requests(data: bytes) -> None:
    """Addresses that proxies write, and forms: any bytes give an answer, never an error."""
    fuzzed = atheris.FuzzedDataProvider(data)
    text = fuzzed.ConsumeUnicodeNoSurrogates(100)
    exact, wide = networks(text)
    assert exact
    assert wide
    assert len(exact) <= 60, exact
    body = fuzzed.ConsumeBytes(3000)
    found = file_in(body, b"x")
    assert found is None or len(found.content) < len(body)
    head = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    while b"\r\n--x" in body:  # taking one out may leave another
        body = body.replace(b"\r\n--x", b"")
    whole = head.encode() + body + b"\r\n--x--\r\n"
    held = file_in(whole, b"x")
    assert held is not None
    assert held.content == body


# ---------------------------------------------------------------------- the admin's file

_FOLDER = Path(tempfile.mkdtemp(prefix="kefu-fuzz-"))
_KB = (FIXTURES / "kb.yaml").read_text(encoding="utf-8")


def knowledge(data: bytes) -> None:
    """A spoilt kb.yaml: read, or refused with its problems named."""
    fuzzed = atheris.FuzzedDataProvider(data)
    text = _KB
    for _ in range(fuzzed.ConsumeIntInRange(1, 4)):
        start = fuzzed.ConsumeIntInRange(0, len(text))
        end = fuzzed.ConsumeIntInRange(start, min(len(text), start + 40))
        text = text[:start] + fuzzed.ConsumeUnicodeNoSurrogates(40) + text[end:]
    path = _FOLDER / "kb.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        read_source(path, TOOL_SPECS)
    except KnowledgeBaseError as error:
        told = str(error)
    else:
        return
    assert 0 < len(told) <= MOST_CHARS


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    one.__name__: one
    for one in (
        texts,
        secrets,
        payloads,
        cq_strings,
        envelopes,
        console,
        page_frames,
        requests,
        knowledge,
    )
}
