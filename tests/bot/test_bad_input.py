"""Bad input: a clear message, a living process, nothing lost."""

from __future__ import annotations

import asyncio
import io
import os
import resource
import socket
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Protocol

import pytest
import pytest_asyncio
from aiohttp import ClientSession, FormData

from bot.app.process.errors import BadSetting
from bot.app.server import Started
from bot.app.settings import Settings, read_settings
from connectors.media.store import MAX_IMAGE_BYTES
from connectors.web.frames import MAX_TEXT_CHARS
from knowledge_base.source.patterns import TIMEOUTS_BEFORE_OFF
from storage.core.keyring import Keyring
from tests.conftest import ADatabase
from tests.factories.database import assign
from tests.factories.page import Page, new_token, opened_page
from tests.factories.process import KefuProcess, eventually, kefu, settings_of
from tests.factories.server import SMALL_KB, new_data_folder, small_server

# one server for all that leave it as it was; it has to bear all of this, one after the other
pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = "可以用支付宝吗？"
ANSWER = "支付宝、微信都可以。"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(
    tmp_path_factory: pytest.TempPathFactory, fits: Path, a_database: ADatabase
) -> AsyncIterator[Started]:
    folder = tmp_path_factory.mktemp("shop") / "data"
    with a_database(folder.parent / "kefu.db") as url:
        assign(folder, url)
        async with small_server(new_data_folder(folder, fits), SMALL_KB) as started:
            yield started


@pytest_asyncio.fixture(loop_scope="module")
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


@pytest_asyncio.fixture(loop_scope="module")
async def page(server: Started) -> AsyncIterator[Page]:
    async with opened_page(server.url) as opened:
        yield opened


async def readiness(http: ClientSession, url: str) -> tuple[int, dict[str, Any]]:
    async with http.get(f"{url}/readyz") as answer:
        return answer.status, await answer.json()


async def still_answers(url: str) -> bool:
    """Whether a new customer is served as ever."""
    async with opened_page(url) as another:
        return await another.asks(QUESTION) == ANSWER


# ---------------------------------------------------------------------- at start


def spoilt(kb: Path, right: str, wrong: str) -> int:
    """Put something wrong in place of something right; the line on which it stands now."""
    text = kb.read_text(encoding="utf-8")
    kb.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    return text[: text.index(right)].count("\n") + 1


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("answer: 我们", "anser: 我们", "anser"),
        ("tool: order_lookup", "tool: order: lookup", "YAML"),
    ],
)
async def test_a_broken_kb_at_start_is_named_with_file_and_line(
    right: str, wrong: str, said: str, data_folder: Path, small_kb_file: Path
) -> None:
    line = spoilt(small_kb_file, right, wrong)
    status, told = await kefu(
        *("run", "--port", "0", "--kb", "kb.yaml", "--data", str(data_folder)),
        cwd=small_kb_file.parent,
    )
    assert status == 2
    assert any(f"kb.yaml:{near}" in told for near in (line, line + 1)), told
    assert said in told
    assert "Traceback" not in told


async def test_a_pattern_that_runs_away_is_switched_off_and_named_while_customers_are_served(
    data_folder: Path, small_kb_file: Path, http: ClientSession
) -> None:
    title = "    title: 付款方式\n"
    spoilt(small_kb_file, title, f"{title}    patterns: ['(x+x+)+y']\n")
    async with small_server(data_folder, small_kb_file) as started:
        for number in range(TIMEOUTS_BEFORE_OFF):
            async with opened_page(started.url) as stranger:
                await stranger.asks("x" * (500 + number))
        assert await still_answers(started.url)
        _, told = await readiness(http, started.url)
    assert "payment_methods" in told["degraded"]["kb"]
    assert "kb check" in told["degraded"]["kb"]


async def test_a_second_process_on_the_same_data_is_told_who_has_it(
    server: Started, tmp_path: Path
) -> None:
    data = server.settings.data_dir
    status, told = await kefu(
        *("run", "--port", "0", "--kb", str(SMALL_KB), "--data", str(data)),
        cwd=tmp_path,
        **settings_of(data),
    )
    assert status == 2
    assert str(os.getpid()) in told
    assert str(data) in told
    assert await still_answers(server.url)


async def test_a_port_in_use_is_refused_and_named(data_folder: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, told = await kefu(
            *("run", "--port", port, "--kb", str(SMALL_KB), "--data", str(data_folder)),
            cwd=tmp_path,
        )
    assert status == 2
    assert f"127.0.0.1:{port}" in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KEFU_PORT", "abc"),
        ("KEFU_SECRET_KEY", "not-a-key"),
        ("KEFU_DATABASE_URL", "mysql://somewhere/kefu"),
    ],
)
async def test_a_wrong_setting_is_named_and_not_repeated(
    name: str, value: str, data_folder: Path
) -> None:
    settings = {"KEFU_PORT": "0", "KEFU_KB": str(SMALL_KB), "KEFU_DATA_DIR": str(data_folder)}
    status, told = await kefu("run", cwd=data_folder, **{**settings, name: value})
    assert status == 2
    assert name in told
    assert "Traceback" not in told
    if name == "KEFU_SECRET_KEY":
        assert value not in told


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KEFU_PORT", "70000"),
        ("KEFU_LOG_LEVEL", "chatty"),
        ("KEFU_SMTP_TLS", "perhaps"),
        ("KEFU_FRAGMENT_WAIT_S", "-1"),
        ("KEFU_TRUSTED_PROXIES", "all"),
        ("KEFU_TURN_TIMEOUT_S", "0"),
    ],
)
async def test_every_wrong_value_is_told_with_what_the_setting_is_for(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSetting) as caught:
        read_settings()
    told = str(caught.value)
    assert told.startswith(f"{name}: ")
    assert (Settings.model_fields[name.removeprefix("KEFU_").lower()].description or "?") in told


async def test_the_wrong_key_for_the_data_is_refused_before_anything_is_served(
    data_folder: Path,
) -> None:
    process = KefuProcess(data_folder, SMALL_KB)
    await process.start()
    await process.stop()
    status, told = await kefu(
        *("run", "--port", "0", "--kb", str(SMALL_KB), "--data", str(data_folder)),
        cwd=data_folder,
        KEFU_SECRET_KEY=Keyring.new_key(),
        **settings_of(data_folder),
    )
    assert status == 2
    assert "KEFU_SECRET_KEY" in told
    assert "Traceback" not in told


# ---------------------------------------------------------------------- kb.yaml while running


async def test_a_broken_kb_while_running_leaves_the_old_one_serving_and_says_why(
    data_folder: Path, small_kb_file: Path, http: ClientSession
) -> None:
    async with small_server(data_folder, small_kb_file) as own, opened_page(own.url) as page:
        line = spoilt(small_kb_file, "title: 付款方式", "titel: 付款方式")

        async def problem() -> str | None:
            status, body = await readiness(http, own.url)
            assert status == 200  # it serves
            told: str | None = body["degraded"].get("kb")
            return told

        told = await eventually(problem, what="the broken kb.yaml being noticed")
        assert told is not None
        assert f"kb.yaml:{line}" in told
        assert "titel" in told
        assert await page.asks(QUESTION) == ANSWER

        spoilt(small_kb_file, "titel: 付款方式", "title: 付款方式")
        spoilt(small_kb_file, ANSWER, "现在只收支付宝。")

        async def is_ready() -> bool:
            return (await readiness(http, own.url))[1] == {"status": "ready", "degraded": {}}

        await eventually(is_ready, what="the mended kb.yaml being read")
        assert await page.asks(QUESTION) == "现在只收支付宝。"


# ---------------------------------------------------------------------- a full disk


class Disk(Protocol):
    """Where the data lies, and a way to fill it up."""

    folder: Path

    def fill(self, pid: int) -> None: ...

    def free(self, pid: int) -> None: ...


class Quota:
    """The kernel lets the process's files grow no further (RLIMIT_FSIZE)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, pid: int) -> None:
        size = (self.folder / "kefu.db-wal").stat().st_size
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def free(self, pid: int) -> None:
        resource.prlimit(
            pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        )


class SmallDisk:
    """A file system of a few megabytes, and a file that takes all the rest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self, pid: int) -> None:
        assert pid
        with self._ballast.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(b"\0" * 4096):
                pass

    def free(self, pid: int) -> None:
        assert pid
        self._ballast.unlink()


@pytest.fixture(params=["quota", "small disk"])
def disk(request: pytest.FixtureRequest, tmp_path: Path, fits: Path) -> Iterator[Disk]:
    """The disk of the embedded database: a PostgreSQL server has one of its own."""
    data_folder = new_data_folder(tmp_path / "data", fits)
    if request.param == "quota":
        yield Quota(data_folder)
        return
    cache = (data_folder / "cache").readlink()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(data_folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:  # noqa: S603 - our own words
        pytest.skip("only root may mount a small file system here")
    (data_folder / "cache").symlink_to(cache)
    yield SmallDisk(data_folder)
    subprocess.run(["umount", "-l", str(data_folder)], check=True)  # noqa: S603, S607 - our own words


async def test_a_full_disk_refuses_clearly_and_loses_nothing(
    disk: Disk, http: ClientSession
) -> None:
    process = KefuProcess(disk.folder, SMALL_KB, KEFU_FRAGMENT_WAIT_S="0")
    await process.start()
    try:
        async with opened_page(process.url) as page:
            assert await page.asks(QUESTION) == ANSWER
            disk.fill(process.pid)
            # what was reserved before the disk filled up may still take a few
            acked = 0
            while True:
                client_id = await page.says(QUESTION + "好" * 300)
                told = await page.until(lambda frame: "client_id" in frame)
                if told["type"] == "error":
                    break
                acked += 1
            assert told["code"] == "not_stored"
            assert told["client_id"] == client_id
            assert told["retry_after_s"] > 0
            await eventually(lambda: process.answers(http, "/readyz", 503), what="not ready")
            assert await process.answers(http, "/healthz", 200)

            disk.free(process.pid)
            await eventually(lambda: process.answers(http, "/readyz", 200), what="ready again")
            await page.says(QUESTION + "好" * 300, client_id)
            stored = await page.until(lambda frame: frame.get("client_id") == client_id)
            assert stored["type"] == "ack"
            # whatever was stored before the disk filled up gets its turn as well
            await page.until(
                lambda frame: frame["type"] == "msg" and frame["seq"] > int(stored["seq"])
            )

            async def is_all_done() -> bool:
                return counts(process.data) == (acked + 2, acked + 2, 0)

            await eventually(is_all_done, what="every turn and every mark")
    finally:
        status = await process.stop()
    assert status == 0


def counts(data: Path) -> tuple[int, int, int]:
    """Messages stored, those that had their turn, replies not sent."""
    with closing(sqlite3.connect(f"file:{data / 'kefu.db'}?mode=ro", uri=True)) as connection:
        stored, turned = connection.execute(
            "select count(*), count(turn_id) from inbound"
        ).fetchone()
        (unsent,) = connection.execute(
            "select count(*) from outbox where state <> 'sent'"
        ).fetchone()
    return stored, turned, unsent


# ---------------------------------------------------------------------- frames


@pytest.mark.parametrize(
    "raw",
    [
        "this is no JSON",
        "[1, 2]",
        '{"type": "launch"}',
        '{"type": "msg"}',
        '{"type": "msg", "client_id": 7, "text": "x"}',
        '{"type": "csat", "client_id": "c", "score": 9}',
        '{"type": "msg", "client_id": "c", "text": "half of a \\ud83d"}',
        "",
    ],
)
async def test_a_frame_that_is_none_of_ours_gets_a_sentence(page: Page, raw: str) -> None:
    await page.socket.send_str(raw)
    told = await page.of_type("error")
    assert told["code"] == "bad_frame"
    assert told["text"]
    assert await page.asks(QUESTION) == ANSWER


async def test_a_frame_of_bytes_that_are_no_text_gets_a_sentence(page: Page) -> None:
    await page.socket.send_bytes(b"\xff\xfe\x00")
    assert (await page.of_type("error"))["code"] == "bad_frame"
    assert await page.asks(QUESTION) == ANSWER


async def test_a_frame_of_10_mb_closes_that_page_only(server: Started, page: Page) -> None:
    with suppress(ConnectionError):  # the server hangs up before it has read it all
        await page.socket.send_str("x" * 10_000_000)
    assert await page.closed() in {1009, 1006}
    assert await still_answers(server.url)


async def test_a_thousand_frames_a_second_end_with_a_closed_page_and_nothing_stored(
    server: Started, page: Page
) -> None:
    with suppress(ConnectionError):
        for _ in range(1000):
            await page.socket.send_str("flood")
    await page.closed()
    codes = [frame["code"] for frame in page.frames if frame["type"] == "error"]
    assert codes.count("bad_frame") <= 31
    assert "too_fast" in codes
    assert await still_answers(server.url)


async def test_messages_that_come_too_fast_are_refused_by_name_and_in_order(
    server: Started, page: Page
) -> None:
    ids = [await page.says(QUESTION) for _ in range(40)]
    told: dict[str, dict[str, Any]] = {}
    while len(told) < len(ids):
        frame = await page.until(lambda frame: "client_id" in frame)
        told[frame["client_id"]] = frame
    refused = [key for key in ids if told[key]["type"] == "error"]
    assert refused == ids[-len(refused) :]  # none overtook another
    assert all(told[key]["code"] == "too_fast" for key in refused)
    assert all(told[key]["retry_after_s"] >= 1 for key in refused)
    assert await still_answers(server.url)


# ---------------------------------------------------------------------- messages


async def test_ten_thousand_characters_are_too_long_and_said_so(page: Page) -> None:
    client_id = await page.says("长" * 10_000)
    told = await page.of_type("error")
    assert (told["code"], told["client_id"]) == ("too_long", client_id)
    assert await page.asks(QUESTION) == ANSWER


async def test_the_longest_message_allowed_is_answered(page: Page) -> None:
    assert await page.asks("卡" * MAX_TEXT_CHARS)


@pytest.mark.parametrize(
    "text",
    [
        "😀😀😀",
        "👨‍👩‍👧‍👦",
        "<script>alert(1)</script>",
        "{{ shop.name }}{% raw %}",
        "'; drop table messages; --",
        "a\u202eb\u0007c",
    ],
)
async def test_odd_texts_are_answered_and_kept_as_they_were_written(page: Page, text: str) -> None:
    await page.asks(text)
    await page.send(type="history", before=1_000)
    history = await page.of_type("history")
    own = [line["text"] for line in history["items"] if line["author"] == "customer"]
    assert own == [text]


async def test_a_placeholder_that_somebody_types_is_a_secret_of_their_own(page: Page) -> None:
    typed = "{{secret:01ARZ3NDEKTSV4RRFFQ69G5FAV}}"
    await page.asks(typed)
    await page.send(type="history", before=1_000)
    history = await page.of_type("history")
    (own,) = [line["text"] for line in history["items"] if line["author"] == "customer"]
    assert own == "{{••••}}"


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\u0000"])
async def test_a_message_of_nothing_is_not_stored(page: Page, text: str) -> None:
    await page.says(text)
    assert (await page.of_type("error"))["code"] == "empty"
    assert await page.asks(QUESTION) == ANSWER


async def test_an_order_number_that_does_not_exist_gets_an_answer(page: Page) -> None:
    assert await page.asks("查一下我的订单 DD-ABCDE-ABCDE-ABCDE-ABCDE？")
    assert await page.asks("我的订单 123456789 到哪一步了？")
    assert await page.asks("算了，" + QUESTION)


async def test_a_button_that_was_never_offered_is_refused(page: Page) -> None:
    await page.send(type="press", client_id="p1", msg_id="nothing", button="intent:order_status")
    told = await page.of_type("error")
    assert (told["code"], told["client_id"]) == ("bad_press", "p1")


# ---------------------------------------------------------------------- pictures


async def upload(
    http: ClientSession, server: Started, token: str, content: bytes
) -> tuple[int, dict[str, Any]]:
    form = FormData()
    form.add_field("file", io.BytesIO(content), filename="picture.png", content_type="image/png")
    headers = {"Authorization": f"Bearer {token}"}
    async with http.post(f"{server.url}/widget/upload", data=form, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_a_picture_that_is_none_is_refused(
    server: Started, page: Page, http: ClientSession
) -> None:
    status, body = await upload(http, server, page.token, b"<svg onload=alert(1)>")
    assert status == 415
    assert body["error"]["code"] == "not_an_image"
    assert body["error"]["text"]


async def test_a_picture_that_is_too_large_is_refused(
    server: Started, page: Page, http: ClientSession
) -> None:
    status, body = await upload(http, server, page.token, b"\x89PNG" + b"\0" * MAX_IMAGE_BYTES)
    assert status == 413
    assert body["error"]["code"] == "too_large"


async def test_an_upload_without_a_file_or_without_multipart_is_refused(
    server: Started, page: Page, http: ClientSession
) -> None:
    headers = {"Authorization": f"Bearer {page.token}"}
    async with http.post(f"{server.url}/widget/upload", data=b"x", headers=headers) as answer:
        assert answer.status == 415
    form = FormData()
    form.add_field("other", b"x", filename="x")
    async with http.post(f"{server.url}/widget/upload", data=form, headers=headers) as answer:
        assert answer.status == 415


async def test_an_attachment_that_nobody_or_somebody_else_uploaded_is_refused(
    server: Started, page: Page, http: ClientSession
) -> None:
    png = bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
        "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
    )
    status, mine = await upload(http, server, page.token, png)
    assert status == 201
    await page.says("", attachment_id="f" * 32)
    assert (await page.of_type("error"))["code"] == "bad_attachment"
    async with opened_page(server.url) as stranger:
        await stranger.says("", attachment_id=mine["attachment_id"])
        assert (await stranger.of_type("error"))["code"] == "bad_attachment"
    client_id = await page.says("", attachment_id=mine["attachment_id"])
    assert (await page.until(lambda frame: frame.get("client_id") == client_id))["type"] == "ack"


# ---------------------------------------------------------------------- tokens


def forgeries(token: str) -> list[str]:
    body, _, signature = token.partition(".")
    swapped = "A" if signature[0] != "A" else "B"
    return ["", "x", "x.y", body, f"{body}.", f"{body}.{swapped}{signature[1:]}", f"é.{signature}"]


async def test_forged_tokens_open_nothing_and_give_a_new_visitor(
    server: Started, page: Page, http: ClientSession
) -> None:
    for forged in forgeries(page.token):
        url = f"{server.url}/widget/ws"
        async with http.ws_connect(url, params={"token": forged, "last_seq": "0"}) as wire:
            assert (await wire.receive()).data == 4401
        _, visitor_id = await new_token(http, server.url, forged)
        assert visitor_id != page.visitor_id
    status, body = await upload(http, server, forgeries(page.token)[5], b"x")
    assert (status, body["error"]["code"]) == (401, "expired")


async def test_a_valid_token_is_renewed_for_the_same_visitor(
    server: Started, page: Page, http: ClientSession
) -> None:
    _, visitor_id = await new_token(http, server.url, page.token)
    assert visitor_id == page.visitor_id


async def test_a_visitor_body_of_any_shape_gets_a_visitor(
    server: Started, http: ClientSession
) -> None:
    for body in (b"", b"{", b"[]", b"null", b'{"token": 5}', b"\xff"):
        headers = {"Content-Type": "application/json"}
        async with http.post(f"{server.url}/widget/visitor", data=body, headers=headers) as answer:
            assert answer.status == 200, body
            assert (await answer.json())["visitor_id"]


async def test_nothing_of_all_this_ends_a_task_of_the_server(server: Started) -> None:
    async def all_had_their_turn() -> bool:
        return not await server.services.storage.read(lambda work: work.inbox.unanswered())

    async with opened_page(server.url) as page:
        await asyncio.gather(*(page.socket.send_str(raw) for raw in ("{", "[]", "\0")))
        assert await page.asks(QUESTION) == ANSWER
    # whoever flooded has theirs at a pace
    await eventually(all_had_their_turn, what="a turn for every message")
