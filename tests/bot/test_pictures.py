"""Pictures in answers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

from bot.app.services import services
from bot.app.settings import Settings
from bot.tools.registry import TOOL_SPECS
from bot.turn.knowledge import KnowledgeFiles
from storage.core.keyring import Keyring
from tests.bot.conftest import Channel, Customer

KB = """
shop: {name: 小店, timezone: Asia/Shanghai, hours: 每天 09:00-23:00}
intents:
  card_how_to_use:
    title: 怎么兑换
    ask: [卡密怎么用, 怎么兑换卡密]
    answer: 看这张图就会了。
    images: [steps.png]
  greeting:
    title: 打招呼
    ask: [你好, 在吗]
    answer: 您好！
"""


async def test_an_answers_picture_is_sent_with_it(tmp_path: Path, database_url: str) -> None:
    (tmp_path / "kb.yaml").write_text(KB)
    Image.new("RGB", (40, 30), "green").save(tmp_path / "steps.png")

    def now() -> datetime:
        return datetime.now(UTC)

    settings = Settings(
        data_dir=tmp_path / "data",
        database_url=database_url,
        kb=tmp_path / "kb.yaml",
        fragment_wait_s=0.0,
        _env_file=None,
    )
    settings.data_dir.mkdir()
    knowledge = KnowledgeFiles(settings.kb, TOOL_SPECS, None).load()
    keyring = Keyring([Keyring.new_key()])
    async with services(settings, keyring=keyring, knowledge=knowledge) as parts:
        channel = Channel()
        parts.connectors.add(channel)
        customer = Customer(parts, channel, [])
        await customer.says("卡密怎么用")
        (picture,) = customer.heard[-1].attachments
        assert (picture.mime, picture.width, picture.height) == ("image/png", 40, 30)
        assert parts.files.store.path(picture.id) is not None
