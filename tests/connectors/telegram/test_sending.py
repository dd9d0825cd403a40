from __future__ import annotations

from typing import Any

import pytest

from connectors.errors import MediaBusy, MediaError, MediaGone, Rejected, Retryable, Undeliverable
from connectors.messages import Button, HealthState, MediaHandle, SendStatus, Unit
from tests.connectors.telegram.conftest import HandClock, Stand

PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)


async def test_a_text_is_shown_literally_and_a_card_key_is_copied_by_a_tap(stand: Stand) -> None:
    await stand.fake.arrives("小林")
    said = "<b>卡密</b> & [CQ:at,qq=all] ]]> *_`：AB<12>"
    result = await stand.says("小林", said, codes=("AB<12>",))
    [shown] = stand.fake.shown("小林")
    assert shown.text == said
    assert [one["type"] for one in shown.raw["entities"]] == ["code"]
    assert result.status is SendStatus.ACCEPTED
    assert result.platform_ids == (str(shown.raw["message_id"]),)
    assert stand.connector.health().state is HealthState.UP


@pytest.mark.parametrize(
    "text", ["好" * 4096, "😀" * 2048, "<" * 4096, "👨‍👩‍👧‍👦" * 3000, "好" * 40_960]
)
async def test_a_long_text_arrives_whole_and_no_piece_is_refused(stand: Stand, text: str) -> None:
    await stand.fake.arrives("小林")
    await stand.says("小林", text)
    assert "".join(one.text for one in stand.fake.shown("小林")) == text


async def test_buttons_stand_in_rows_and_carry_nothing_but_a_token(stand: Stand) -> None:
    await stand.fake.arrives("小林")
    short = tuple(Button(f"i{n}", label) for n, label in enumerate(("查订单", "转人工", "退款")))
    await stand.says("小林", "请问要做什么？", buttons=short)
    await stand.says("小林", "选一张", buttons=(Button("a", "《原神》创世结晶 6480 枚"), short[0]))
    first, second = stand.fake.shown("小林")
    assert first.buttons == ("查订单", "转人工", "退款")
    rows = first.raw["reply_markup"]["inline_keyboard"]
    assert [len(row) for row in rows] == [2, 1]
    assert rows[1][0]["callback_data"] == "kf1:01JABCDEFGHJKMNPQRSTVWXYZ0:2"
    assert [len(row) for row in second.raw["reply_markup"]["inline_keyboard"]] == [1, 1]


async def test_refused_formatting_says_so(stand: Stand) -> None:
    await stand.fake.arrives("小林")
    description = "can't parse entities: oops"
    stand.fake.faults.add("error", "sendMessage", code=400, fields={"description": description})
    with pytest.raises(Rejected) as caught:
        await stand.says("小林", "您好")
    assert caught.value.is_format


@pytest.mark.parametrize(
    ("kind", "mime", "content", "seen"),
    [
        ("image", "image/png", PNG, "image"),
        ("image", "image/gif", b"GIF89a", "file"),
        ("voice", "audio/ogg", b"OggS", "voice"),
        ("voice", "audio/amr", b"#!AMR", "file"),
        ("video", "video/mp4", b"ftyp", "video"),
        ("file", "application/pdf", b"%PDF", "file"),
    ],
)
async def test_a_file_goes_out_as_what_the_app_can_show(
    stand: Stand, kind: str, mime: str, content: bytes, seen: str
) -> None:
    await stand.fake.arrives("小林")
    await stand.sends_file("小林", content, kind=kind, mime=mime)
    [shown] = stand.fake.shown("小林")
    assert (shown.kind, shown.content) == (seen, content)


async def test_a_picture_that_is_too_large_or_refused_goes_as_a_file(stand: Stand) -> None:
    await stand.fake.arrives("小林")
    stand.makes(max_photo_bytes=20)
    await stand.sends_file("小林", PNG, kind="image", mime="image/png")
    stand.makes()
    await stand.sends_file("小林", b"no picture", kind="image", mime="image/png")
    stand.fake.api.forbids_voice = True
    await stand.sends_file("小林", b"OggS", kind="voice", mime="audio/ogg")
    assert [one.kind for one in stand.fake.shown("小林")] == ["file", "file", "file"]


async def test_a_file_that_is_gone_or_too_large_is_refused_before_it_is_sent(stand: Stand) -> None:
    await stand.fake.arrives("小林")
    stand.makes(max_upload_bytes=3)
    with pytest.raises(Rejected, match="too large"):
        await stand.sends_file("小林", PNG, kind="image", mime="image/png")
    assert not any(call.method == "sendPhoto" for call in stand.fake.calls)


async def test_who_blocked_the_bot_cannot_be_reached_and_the_bot_is_well(stand: Stand) -> None:
    await stand.fake.arrives("小林")
    await stand.says("小林", "您好")
    await stand.fake.leaves("小林")
    with pytest.raises(Undeliverable):
        await stand.says("小林", "还在吗")
    assert stand.connector.health().state is HealthState.UP


async def test_a_refused_token_takes_the_account_down_until_a_send_succeeds(stand: Stand) -> None:
    await stand.fake.arrives("小林")
    stand.fake.faults.add("error", "sendMessage", code=401)
    with pytest.raises(Exception, match="refused"):
        await stand.says("小林", "您好")
    health = stand.connector.health()
    assert health.state is HealthState.DOWN
    assert "BotFather" in (health.last_error or "")
    await stand.says("小林", "您好")
    assert stand.connector.health().state is HealthState.UP


async def test_a_message_whose_answer_was_lost_is_not_known_to_be_sent(stand: Stand) -> None:
    await stand.fake.arrives("小林")
    stand.fake.faults.add("drop_after", "sendMessage")
    with pytest.raises(Retryable) as caught:
        await stand.says("小林", "您好")
    assert caught.value.maybe_sent
    assert not stand.connector.capabilities.send_idempotent
    assert len(stand.fake.shown("小林")) == 1
    assert stand.connector.health().state is HealthState.DEGRADED


async def test_an_upgraded_group_is_answered_where_it_is_now(stand: Stand) -> None:
    await stand.fake.says("小林", "在吗", group="星辰群")
    outbound = stand.outbound("小林", "在的", group="星辰群")
    stand.fake.migrates("星辰群")
    for number in range(2):
        await stand.connector.send(Unit(f"01J-{number}", outbound, text="在的"))
    assert [one.text for one in stand.fake.shown("", group="星辰群")] == ["在的", "在的"]
    refused = [call for call in stand.fake.calls if call.method == "sendMessage"]
    assert len(refused) == 3  # the second time it goes straight there


async def test_typing_is_shown_again_only_after_a_while_and_never_fails(
    stand: Stand, clock: HandClock
) -> None:
    await stand.fake.arrives("小林")
    address = stand.outbound("小林", "").address
    for is_on in (True, True, False):
        await stand.connector.typing(address, "bot", is_on=is_on)
    assert len(stand.fake.state.typing) == 1
    clock.passes(seconds=4)
    stand.fake.faults.add("status", "sendChatAction", status=502)
    await stand.connector.typing(address, "bot", is_on=True)
    clock.passes(seconds=4)
    await stand.connector.typing(address, "bot", is_on=True)
    assert len(stand.fake.state.typing) == 2


async def test_everything_goes_through_a_proxy_where_there_is_one(stand: Stand) -> None:
    handle = await a_handle(stand, PNG)
    # nobody resolves this name but the proxy, and the fake plays that too
    stand.makes(api_url="http://api.telegram.invalid", proxy=stand.fake.url)
    await stand.says("小林", "您好")
    assert await stand.connector.fetch(handle, 1000) == PNG
    assert [one.text for one in stand.fake.shown("小林")] == ["您好"]


# ---------------------------------------------------------------------- files that come in


async def a_handle(stand: Stand, content: bytes) -> MediaHandle:
    await stand.fake.sends_media("小林", "image", content)
    *_, file_id = stand.fake.state.files
    return MediaHandle("image", {"file_id": file_id})


async def test_a_file_is_fetched_by_its_id(stand: Stand) -> None:
    assert await stand.connector.fetch(await a_handle(stand, PNG), 1000) == PNG


async def test_a_file_that_is_too_large_for_us_or_for_bots_is_gone(stand: Stand) -> None:
    handle = await a_handle(stand, PNG)
    with pytest.raises(MediaGone, match="too_large"):
        await stand.connector.fetch(handle, 10)
    [stored] = stand.fake.state.files.values()
    stored.size = 5  # a size that lies
    with pytest.raises(MediaGone, match="too_large"):
        await stand.connector.fetch(handle, 10)
    stored.size = 25 << 20
    with pytest.raises(MediaGone, match="too_large"):
        await stand.connector.fetch(handle, 100 << 20)


async def test_a_file_that_is_no_longer_there_is_gone_and_trouble_may_pass(stand: Stand) -> None:
    handle = await a_handle(stand, PNG)
    faults: list[tuple[str, dict[str, Any], type[MediaError]]] = [
        ("getFile", {"kind": "error", "code": 400}, MediaGone),
        ("getFile", {"kind": "error", "code": 401}, MediaBusy),
        ("getFile", {"kind": "drop_before"}, MediaBusy),
        ("file", {"kind": "status", "status": 404}, MediaGone),
        ("file", {"kind": "status", "status": 302}, MediaBusy),
        ("file", {"kind": "status", "status": 500}, MediaBusy),
        ("file", {"kind": "drop_before", "times": 9}, MediaBusy),
    ]
    for method, fault, expected in faults:
        stand.fake.faults.clear()
        stand.fake.faults.add(method=method, **fault)
        with pytest.raises(expected) as caught:
            await stand.connector.fetch(handle, 1000)
        assert stand.fake.token not in str(caught.value)
    with pytest.raises(MediaGone, match="refused"):
        await stand.connector.fetch(MediaHandle("image", {}), 1000)
