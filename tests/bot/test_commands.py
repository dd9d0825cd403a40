"""``kefu kb`` and ``kefu chat`` as an admin types them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.app.persistence.database import opened_database
from bot.app.process.steady_clock import utc_now
from bot.app.services import services
from bot.app.settings import Settings
from bot.cli.main import main
from bot.tools.registry import TOOL_SPECS
from bot.turn.knowledge import KnowledgeFiles
from connectors.messages import Address, ChannelRef, Inbound
from tests.factories.database import database_of
from tests.factories.process import settings_of
from tests.factories.server import SMALL_KB

Kefu = Callable[..., Result]


@pytest.fixture
def kefu(data_folder: Path, small_kb_file: Path, monkeypatch: pytest.MonkeyPatch) -> Kefu:
    """Runs ``kefu … --data --kb`` on a small shop."""
    monkeypatch.setenv("KEFU_LOG_LEVEL", "warning")
    for name, value in settings_of(data_folder).items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str, said: str = "") -> Result:
        given = [*arguments, "--data", str(data_folder), "--kb", str(small_kb_file)]
        return CliRunner().invoke(main, given, input=said)

    return run


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    path = tmp_path / "cases.csv"
    path.write_text(
        "text,intent\n怎么付款,payment_methods\n几点关门,payment_methods\n快递几天到,oos\n",
        encoding="utf-8",
    )
    return path


# ---------------------------------------------------------------------- check


def test_a_sound_knowledge_base_is_checked_with_a_summary_and_status_0(kefu: Kefu) -> None:
    result = kefu("kb", "check")
    assert result.exit_code == 0
    assert result.output.splitlines()[-1].startswith("5 个意图，40 条说法：0 个错误，")
    assert "问法太少：5 处 (few_phrases)" in result.output


def test_errors_come_first_and_end_with_status_2(kefu: Kefu, small_kb_file: Path) -> None:
    text = small_kb_file.read_text(encoding="utf-8")
    small_kb_file.write_text(text.replace("[转人工,", "[转人工, 怎么付款,"), encoding="utf-8")
    result = kefu("kb", "check")
    assert result.exit_code == 2
    assert result.output.startswith("✗ 要改｜同一句话，两处都要：1 处 (conflict)")
    told = json.loads(kefu("kb", "check", "--json").output)
    assert (told[0]["kind"], told[0]["severity"]) == ("conflict", "error")
    assert {"file", "line", "text", "hint"} <= told[0].keys()


# ---------------------------------------------------------------------- eval


def test_an_evaluation_tells_recall_and_confusions(kefu: Kefu, cases: Path) -> None:
    result = kefu("kb", "eval", "--cases", str(cases))
    assert result.exit_code == 0
    assert "accuracy          50.0%" in result.output
    assert "payment_methods → business_hours：1 次，其中答错 1 次，如 “几点关门”" in result.output


def test_an_evaluation_is_drawn_and_written_on_request(
    kefu: Kefu, cases: Path, tmp_path: Path
) -> None:
    chart, predictions = tmp_path / "chart.html", tmp_path / "predictions.csv"
    files = ("--chart", str(chart), "--predictions", str(predictions))
    result = kefu("kb", "eval", "--cases", str(cases), "--json", *files)
    figures = json.loads(result.stdout)
    assert figures["n"] == 2
    assert figures["confusions"][0]["examples"] == ["几点关门"]
    assert figures["recall"]["payment_methods"] == {"right": 1, "rows": 2}
    assert chart.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert predictions.read_text(encoding="utf-8").startswith("text,intent,")


def test_a_chart_that_cannot_be_written_is_told_in_one_line(kefu: Kefu, cases: Path) -> None:
    result = kefu("kb", "eval", "--cases", str(cases), "--chart", "/nowhere/at/all/chart.html")
    assert result.exit_code == 2
    assert "/nowhere/at/all/chart.html: 写不了" in result.output
    assert "Traceback" not in result.output


# ---------------------------------------------------------------------- missed


async def somebody_says(data: Path, *texts: str) -> None:
    """Customers write to the shop, one message each, and leave."""
    settings = Settings(
        data_dir=data,
        database_url=database_of(data),
        kb=SMALL_KB,
        fragment_wait_s=0.0,
        _env_file=None,
    )
    keyring = opened_database(settings)
    knowledge = KnowledgeFiles(SMALL_KB, TOOL_SPECS, data / "cache").load()
    async with services(settings, keyring=keyring, knowledge=knowledge) as parts:
        for n, text in enumerate(texts):
            address = Address(ChannelRef("terminal", "tests"), f"c{n}", f"c{n}")
            message = Inbound(f"k{n}", address, received_at=utc_now(), text=text)
            await parts.intake.accept([message])
        await parts.turns.settle()


async def missed_after(kefu: Kefu, data: Path, *texts: str) -> dict[str, Any]:
    await somebody_says(data, *texts)
    told: dict[str, Any] = await in_a_thread(kefu, "kb", "missed", "--json")
    return told


async def in_a_thread(kefu: Kefu, *arguments: str) -> Any:
    """A command runs a loop of its own."""
    result = await asyncio.to_thread(kefu, *arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.output) if "--json" in arguments else result.output


async def test_what_customers_said_in_vain_is_told_with_what_to_do(
    kefu: Kefu, data_folder: Path
) -> None:
    said = ("猫粮味道重不重", "这猫粮味道重不重呀", "猫粮味道重么 13812345678", "怎么付款")
    told = await missed_after(kefu, data_folder, *said)
    assert told["missed"] == 3
    (biggest, *_) = told["clusters"]
    assert biggest["size"] == biggest["customers"] == 3
    assert biggest["advice"] in {"new_intent", "out_of_scope"}
    text = await in_a_thread(kefu, "kb", "missed", "--days", "7")
    assert "最近 7 天，3 位顾客的 3 句话没听懂" in text
    assert "13812345678" not in text
    assert "out_of_scope" in text


async def test_a_shop_without_a_single_chat_is_told_so(kefu: Kefu) -> None:
    assert "最近 30 天，没有机器人没听懂的话。" in await in_a_thread(kefu, "kb", "missed")


# ---------------------------------------------------------------------- chat


def test_a_chat_shows_what_was_decided_why_and_the_candidates(kefu: Kefu) -> None:
    said = kefu("chat", said="怎么付款\n查一下我的订单\n").output
    assert "支付宝、微信都可以。" in said
    assert "  · 回答｜和问法一字不差" in said
    assert "1.00 ██████████ payment_methods（付款方式）" in said
    assert "  · 要 order_number｜和问法一字不差" in said


# ---------------------------------------------------------------------- help


@pytest.mark.parametrize("command", ["check", "eval", "missed", "import"])
def test_every_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(main, ["kb", command, "--help"])
    assert result.exit_code == 0
    assert "。" in result.output
