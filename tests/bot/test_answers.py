"""An answer that cannot be worded: nobody is left without one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from bot.app.services import services
from bot.app.settings import Settings
from bot.tools.registry import TOOL_SPECS
from bot.turn.knowledge import KnowledgeFiles
from storage.core.keyring import Keyring
from storage.core.schema import upgrade
from tests.bot.conftest import Channel, Customer

KB = """
shop: {name: 小店, timezone: Asia/Shanghai, hours: 每天 00:00-24:00}
intents:
  card_how_to_use:
    title: 怎么兑换
    ask: [卡密怎么用, 怎么兑换卡密]
    answer: "共 {{ shop.name + 1 }} 步"
  greeting:
    title: 打招呼
    ask: [你好, 在吗]
    answer: 您好！
"""


async def test_an_answer_that_fails_as_it_is_filled_in_calls_a_person(tmp_path: Path) -> None:
    (tmp_path / "kb.yaml").write_text(KB)

    def now() -> datetime:
        return datetime.now(UTC)

    settings = Settings(
        data_dir=tmp_path, kb=tmp_path / "kb.yaml", fragment_wait_s=0.0, _env_file=None
    )
    upgrade(settings.database)
    knowledge = KnowledgeFiles(settings.kb, TOOL_SPECS, None).load()
    keyring = Keyring([Keyring.new_key()])
    async with services(settings, keyring=keyring, knowledge=knowledge) as parts:
        channel = Channel()
        parts.connectors.add(channel)
        customer = Customer(parts, channel, [])
        await customer.says("卡密怎么用")
        conversation = await customer.conversation()
        assert (conversation.state.value, conversation.reason) == ("waiting", "bot_error")
        assert customer.heard[-1].text
        assert "{{" not in customer.heard[-1].text
