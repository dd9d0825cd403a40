"""Files in the console: what agents send, and how a browser gets what was sent."""

from __future__ import annotations

import io
from typing import Any

import pytest
from aiohttp import FormData
from PIL import Image

from connectors.messages import Attachment, ChannelRef, MediaHandle
from tests.factories.messaging import an_address, an_inbound
from tests.handoff.console import MAX_FILE_BYTES, Browser, Shop, a_channel

OGG = b"OggS" + bytes(range(256)) * 4
MP4 = b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 32


def a_form(content: bytes, name: str = "../截图.png") -> FormData:
    form = FormData(quote_fields=False)  # as browsers write names
    form.add_field("file", io.BytesIO(content), filename=name)
    return form


def a_picture() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (20, 10), "red").save(content, "PNG")
    return content.getvalue()


async def uploaded(browser: Browser, content: bytes, name: str = "../截图.png") -> dict[str, Any]:
    status, stored = await browser.ask("POST", "/attachments", data=a_form(content, name))
    assert status == 201, stored
    return dict(stored)


async def test_an_image_is_uploaded_sent_and_shown(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    conversation, _ = await shop.customer_says("截图发我")
    stored = await uploaded(browser, a_picture())
    assert (stored["kind"], stored["mime"], stored["width"]) == ("image", "image/png", 20)
    path = f"/conversations/{conversation.id}/messages"
    sent = await browser.post(path, client_id="one", attachment_ids=[stored["id"]])
    assert sent["attachments"][0]["url"] == stored["url"]
    async with browser.session.get(stored["url"]) as response:
        assert response.content_type == "image/png"
        assert response.headers["Content-Disposition"].startswith("inline")
        assert await response.read() == a_picture()
    other, _ = await shop.logged_in("agang")
    status, _ = await other.ask(
        "POST", path, {"client_id": "two", "attachment_ids": [stored["id"]], "takeover": True}
    )
    assert status == 404


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"<!doctype html><script>alert(1)</script>", "说明.html"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "图.svg"),
        (b"%PDF-1.7", "发票 2026.pdf"),
    ],
)
async def test_what_a_browser_could_run_is_only_ever_downloaded(
    shop: Shop, content: bytes, name: str
) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    stored = await uploaded(browser, content, name)
    assert (stored["kind"], stored["name"]) == ("file", name)
    async with browser.session.get(stored["url"]) as response:
        assert response.content_type == "application/octet-stream"
        disposition = response.content_disposition
        assert disposition is not None
        assert (disposition.type, disposition.filename) == ("attachment", name)
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in response.headers["Content-Security-Policy"]
        assert await response.read() == content


@pytest.mark.parametrize(
    ("content", "kind", "mime"), [(OGG, "voice", "audio/ogg"), (MP4, "video", "video/mp4")]
)
async def test_a_sound_or_a_film_plays_in_place_and_can_be_wound(
    shop: Shop, content: bytes, kind: str, mime: str
) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    stored = await uploaded(browser, content, "录音.html")
    assert (stored["kind"], stored["mime"]) == (kind, mime)
    asked = {"Range": "bytes=4-7"}
    async with browser.session.get(stored["url"], headers=asked) as response:
        assert (response.status, response.content_type) == (206, mime)
        assert response.headers["Content-Disposition"].startswith("inline")
        assert await response.read() == content[4:8]


async def test_a_file_that_is_too_large_or_empty_is_refused_with_the_reason(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    largest = await uploaded(browser, b"x" * MAX_FILE_BYTES)
    assert largest["size"] == MAX_FILE_BYTES
    status, answer = await browser.ask(
        "POST", "/attachments", data=a_form(b"x" * (MAX_FILE_BYTES + 1))
    )
    assert (status, answer["error"]["code"]) == (413, "too_large")
    assert answer["error"]["message"] == "文件太大了，最大 1 MB"
    status, answer = await browser.ask("POST", "/attachments", data=a_form(b""))
    assert (status, answer["error"]["code"]) == (422, "bad_attachment")
    status, _ = await browser.ask("POST", "/attachments", {"file": "x"})
    assert status == 422


async def test_a_file_that_the_channel_cannot_send_is_refused_but_may_go_into_a_note(
    shop: Shop,
) -> None:
    shop.channels = [a_channel("wechat", sends=["image", "video"])]
    browser, _ = await shop.logged_in("xiaomei")
    conversation = await shop.customer_does(
        an_inbound("在吗", address=an_address(ref=ChannelRef("wechat", "main")))
    )
    path = f"/conversations/{conversation}/messages"
    stored = await uploaded(browser, b"%PDF-1.7", "发票.pdf")
    said = {"client_id": "one", "attachment_ids": [stored["id"]]}
    status, refused = await browser.ask("POST", path, said)
    assert (status, refused["error"]["code"]) == (422, "cannot_send")
    assert refused["error"]["message"] == "微信公众号发不了文件，只能发文字和图片、视频"
    note = await browser.post(path, **said, note=True)
    assert note["attachments"][0]["name"] == "发票.pdf"
    picture = await uploaded(browser, a_picture())
    sent = await browser.post(path, client_id="two", attachment_ids=[picture["id"]])
    assert sent["attachments"][0]["kind"] == "image"


async def test_a_file_on_its_way_is_shown_as_such_and_has_no_content_yet(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    conversation = await shop.customer_does(
        an_inbound(
            "",
            address=an_address(ref=ChannelRef("telegram", "main")),
            media=(MediaHandle("voice", {"file_id": "1"}, mime="text/html", name="a.html"),),
        )
    )
    path = f"/conversations/{conversation}"
    assert (await browser.get(path))["row"]["last_message"]["preview"] == "[语音]"
    line = (await browser.get(path + "/messages"))["items"][0]["attachments"][0]
    assert (line["kind"], line["state"]) == ("voice", "pending")
    async with browser.session.get(line["url"]) as response:
        assert response.status == 404


async def test_a_kind_that_is_claimed_and_not_seen_is_never_shown(shop: Shop) -> None:
    """Defence in depth: nothing stores such a type, and if it did, no browser would run it."""
    browser, _ = await shop.logged_in("xiaomei")
    key = "a" * 32
    await shop.database.write(
        lambda work: work.attachments.add(
            Attachment(key, "image", "image/svg+xml", 4, "x.svg"), owner="x", at=shop.clock()
        )
    )
    shop.media.keep(b"<svg", "x.svg", key, MAX_FILE_BYTES)
    async with browser.session.get(f"/api/v1/media/{key}") as response:
        assert response.content_type == "application/octet-stream"
        assert response.headers["Content-Disposition"].startswith("attachment")
