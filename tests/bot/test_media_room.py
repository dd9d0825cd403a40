"""Files: so many of a customer and of a source, so much in all, and none that nobody sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.app.services import Services
from bot.inbox.media_room import (
    LOOSE_FOR,
    MAX_FILES_OF_CUSTOMER,
    MAX_FILES_OF_SOURCE,
    MediaRoom,
    Quotas,
)
from connectors.errors import MediaGone
from connectors.kit.base import BaseConnector
from connectors.media.store import BadFile, MediaStore
from connectors.messages import (
    Attachment,
    Capabilities,
    ChannelRef,
    MediaHandle,
    MediaState,
    SendResult,
    SendStatus,
    Unit,
)
from handoff.model.attachments import Usage
from storage.unit_of_work import UnitOfWork
from tests.bot.conftest import CHANNEL, Clock, Customer
from tests.connectors.test_media import a_picture

MB = 1024 * 1024
QUOTAS = Quotas.of_mb(customer=2, source=3, total=5)


@pytest.mark.parametrize(
    ("size", "customer", "source", "total", "refusal"),
    [
        (MB, Usage(1, MB), Usage(1, MB), MB, None),
        (MB + 1, Usage(1, MB), Usage(1, MB), MB, "customer_quota"),
        (MB, Usage(1, MB), Usage(3, 2 * MB + 1), MB, "source_quota"),
        (MB, Usage(), Usage(), 4 * MB + 1, "no_room"),
        (1, Usage(MAX_FILES_OF_CUSTOMER, 9), Usage(), 0, "customer_quota"),
        (1, Usage(), Usage(MAX_FILES_OF_SOURCE, 9), 0, "source_quota"),
        (0, Usage(), Usage(), 0, None),
    ],
)
def test_a_file_is_refused_for_the_first_limit_that_it_breaks(
    size: int, customer: Usage, source: Usage, total: int, refusal: str | None
) -> None:
    assert QUOTAS.refusal(size, customer=customer, source=source, total=total) == refusal


@pytest.fixture
def room(parts: Services, clock: Clock) -> MediaRoom:
    return MediaRoom(parts.storage, parts.files.store, QUOTAS, clock)


async def stored(
    parts: Services, clock: Clock, owner: str = "o", sent_from: str | None = "ip:1", size: int = MB
) -> Attachment:
    """An upload that waits for its message."""
    kept = parts.files.store.save(a_picture())
    attachment = Attachment(kept.id, "image", kept.mime, size)

    def unit(work: UnitOfWork) -> None:
        work.attachments.add(
            attachment,
            owner=owner,
            at=clock(),
            source=sent_from,
            loose_until=clock() + LOOSE_FOR,
        )

    await parts.storage.write(unit)
    return attachment


async def refusal(room: MediaRoom, owner: str, sent_from: str | None, size: int = MB) -> str:
    try:
        await room.check(owner, sent_from, size)
    except BadFile as error:
        return error.code
    return ""


async def test_customers_and_sources_have_a_day_s_worth_each(
    parts: Services, room: MediaRoom, clock: Clock
) -> None:
    for _ in range(2):
        await stored(parts, clock, "a")
    assert await refusal(room, "a", "ip:1") == "customer_quota"
    assert await refusal(room, "b", "ip:1") == ""
    await stored(parts, clock, "b")
    # a new token makes a new customer and no new source
    assert await refusal(room, "c", "ip:1") == "source_quota"
    assert await refusal(room, "c", "ip:2") == ""
    clock.advance(days=1)
    assert await refusal(room, "a", "ip:1") == ""


async def test_all_files_together_have_an_end_that_the_admin_hears_of(
    parts: Services, room: MediaRoom, clock: Clock
) -> None:
    for number in range(5):
        await stored(parts, clock, f"o{number}", None)
    assert await refusal(room, "new", None) == "no_room"
    assert "KEFU_MEDIA_TOTAL_MB" in (room.problem or "")
    clock.advance(days=2)
    assert await room.sweep() == 5
    assert await refusal(room, "new", None) == ""
    assert room.problem is None


async def test_a_disk_that_is_nearly_full_takes_no_more_files(
    parts: Services, clock: Clock, tmp_path: Path
) -> None:
    media = MediaStore(tmp_path / "not there yet" / "media", min_free_bytes=2**60)
    assert await refusal(MediaRoom(parts.storage, media, QUOTAS, clock), "o", None) == "no_room"


async def test_an_upload_that_no_message_carried_goes_after_a_day_and_its_row_says_so(
    parts: Services, room: MediaRoom, clock: Clock, customer: Customer
) -> None:
    sent, forgotten = await stored(parts, clock), await stored(parts, clock)
    await customer.sends("看图", attachments=(sent,))
    clock.advance(hours=23)
    assert await room.sweep() == 0
    clock.advance(hours=1)
    assert await room.sweep() == 1
    assert parts.files.store.path(sent.id) is not None
    assert parts.files.store.path(forgotten.id) is None
    found = await parts.storage.read(lambda work: work.attachments.get(forgotten.id))
    assert found is not None
    assert found[0].state is MediaState.EXPIRED
    clock.advance(days=30)
    assert await room.sweep() == 0


async def test_a_file_that_a_dead_process_had_marked_is_deleted_by_the_next_sweep(
    parts: Services, room: MediaRoom, clock: Clock
) -> None:
    forgotten = await stored(parts, clock)
    clock.advance(days=1)
    await parts.storage.write(lambda work: work.attachments.expire(clock(), 10))
    assert parts.files.store.path(forgotten.id) is not None
    assert await room.sweep() == 1
    assert parts.files.store.path(forgotten.id) is None


async def test_what_was_stored_before_there_was_a_term_stays(
    parts: Services, room: MediaRoom, clock: Clock
) -> None:
    kept = parts.files.store.save(a_picture())
    await parts.storage.write(lambda work: work.attachments.add(kept, owner="o", at=clock()))
    clock.advance(days=400)
    assert await room.sweep() == 0
    assert parts.files.store.path(kept.id) is not None


class Platform(BaseConnector):
    """A platform with files; counts who fetches."""

    capabilities = Capabilities(max_text=4000)

    def __init__(self, ref: ChannelRef) -> None:
        super().__init__(ref)
        self.fetched = 0

    async def send(self, unit: Unit) -> SendResult:
        assert unit.id
        return SendResult(SendStatus.ACCEPTED)

    async def fetch(self, media: MediaHandle, max_bytes: int) -> bytes:
        if not media.handle:
            raise MediaGone("expired")
        assert max_bytes > 0
        self.fetched += 1
        return b"%PDF-1.7" + b"\0" * (MB - 208)  # what lies behind a picture would be taken off


async def test_files_of_a_channel_count_as_well_and_are_not_even_fetched_beyond(
    parts: Services, room: MediaRoom, clock: Clock, customer: Customer
) -> None:
    platform = Platform(CHANNEL)
    parts.connectors.add(platform)
    parts.fetching._room = room
    for number in range(4):
        media = MediaHandle("file", {"id": number}, size=MB - 200)
        await customer.sends("", media=(media,))
        while await parts.fetching.poll():
            clock.advance(seconds=1)
    assert platform.fetched == 2

    def unit(work: UnitOfWork) -> list[MediaState]:
        conversation = work.conversations.of_address(customer.address)
        assert conversation is not None
        lines = work.messages.before(conversation.id, 1000, 1000)
        return [one.state for line in lines for one in line.attachments]

    states = await parts.storage.read(unit)
    assert states == [MediaState.READY] * 2 + [MediaState.FAILED] * 2
