"""The commands ``kefu kb``: what an admin does with the knowledge base."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from bot.app.process.errors import KefuError
from bot.cli.command import (
    DATA,
    KB,
    knowledge_base_of,
    now,
    settings_and_data,
    with_storage,
)

WRONG = 2


@click.group()
def kb() -> None:
    """知识库：检查、评测、导入，看机器人没听懂什么。"""


@kb.command()
@KB
@DATA
@click.option("--explain", metavar="TOOL", help="列出一个工具的变量和结果")
@click.option("--all", "shows_all", is_flag=True, help="每一类都列全，不只是最要紧的 10 条")
@click.option("--json", "as_json", is_flag=True, help="全部列出，给程序读")
def check(
    *, kb: Path | None, data: Path | None, explain: str | None, shows_all: bool, as_json: bool
) -> None:
    """检查知识库：互相冲突的、太像的、放错地方的、没用上的，各该怎么改。"""
    from bot.tools.registry import TOOL_SPECS  # noqa: PLC0415
    from knowledge_base.evaluation import check as checking  # noqa: PLC0415
    from knowledge_base.evaluation import checklist  # noqa: PLC0415

    if explain is not None:
        if explain not in TOOL_SPECS:
            raise KefuError(f"没有工具 {explain}；有 {', '.join(TOOL_SPECS)}")
        click.echo(checking.explain(TOOL_SPECS[explain]))
        return
    loaded = knowledge_base_of(settings_and_data(data, kb))
    findings = checking.check(loaded)
    errors = sum(finding.is_error for finding in findings)
    if as_json:
        _print_json([finding.as_json() for finding in findings])
    else:
        if findings:
            click.echo(checklist.as_text(findings, shows_all=shows_all))
        click.echo(
            f"{len(loaded.intents)} 个意图，{loaded.phrase_count} 条说法："
            f"{errors} 个错误，{len(findings) - errors} 条建议"
        )
    if errors:
        sys.exit(WRONG)


@kb.command(name="eval")
@KB
@DATA
@click.option("--cases", required=True, type=click.Path(path_type=Path), help="CSV：text,intent")
@click.option("--predictions", type=click.Path(path_type=Path), help="逐条结果写到这个 CSV")
@click.option("--chart", type=click.Path(path_type=Path), help="画成一页图，写到这个 .html")
@click.option("--all", "shows_all", is_flag=True, help="列出每个意图和每种混淆")
@click.option("--json", "as_json", is_flag=True, help="全部列出，给程序读")
def evaluate(
    *,
    kb: Path | None,
    data: Path | None,
    cases: Path,
    predictions: Path | None,
    chart: Path | None,
    shows_all: bool,
    as_json: bool,
) -> None:
    """用标注好的句子给识别打分：认对多少，把什么认成了什么。"""
    from knowledge_base.evaluation import cases as reading  # noqa: PLC0415
    from knowledge_base.evaluation import evaluation, scorecard  # noqa: PLC0415

    labelled = reading.read_cases(cases)
    loaded = knowledge_base_of(settings_and_data(data, kb))
    report = evaluation.evaluate(loaded, labelled)
    if as_json:
        _print_json({**report.as_json(), **report.details()})
    else:
        click.echo(scorecard.as_text(report, shows_all=shows_all))
    if predictions is not None:
        _write(predictions, report.write_predictions)
    if chart is not None:
        from knowledge_base.evaluation.chart import page  # noqa: PLC0415

        titles = {str(name): intent.title for name, intent in loaded.intents.items()}
        drawn = page(report, titles=titles, shop=loaded.shop.name, cases=cases.name)
        _write(chart, lambda path: path.write_text(drawn, encoding="utf-8"))
        click.echo(f"图在 {chart}，用浏览器打开", err=as_json)


@kb.command()
@KB
@DATA
@click.option(
    "--days", type=click.IntRange(1, 3650), default=30, help="看最近多少天", show_default=True
)
@click.option("--all", "shows_all", is_flag=True, help="列出每一类，不只是最多的 20 类")
@click.option("--json", "as_json", is_flag=True, help="全部列出，给程序读")
def missed(
    *, kb: Path | None, data: Path | None, days: int, shows_all: bool, as_json: bool
) -> None:
    """看机器人没听懂什么：相近的归成一类，多的在前，各该怎么办。"""
    from knowledge_base.evaluation import missed_report as wishes  # noqa: PLC0415
    from knowledge_base.evaluation.clusters import cluster  # noqa: PLC0415

    settings = settings_and_data(data, kb)
    loaded = knowledge_base_of(settings)
    since = now() - timedelta(days=days)

    async def work(storage: Any) -> None:
        said = await storage.read(lambda unit: unit.turns.missed(since))
        found = cluster(loaded, said)
        if as_json:
            _print_json({"days": days, **found.as_json()})
        else:
            click.echo(wishes.as_text(found, loaded, days=days, shows_all=shows_all))

    with_storage(settings, work)


@kb.command(name="import")
@click.argument("cases", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path))
def import_cases(*, cases: Path, output: Path) -> None:
    """把标注好的 CSV（text,intent）变成知识库。"""
    from knowledge_base.evaluation import importer  # noqa: PLC0415

    count = importer.import_cases(cases, output)
    click.echo(f"{output}：{count} 个意图。下一步：kefu kb check --kb {output}")


@kb.command()
@KB
@DATA
def warm(*, kb: Path | None, data: Path | None) -> None:
    """提前训练好识别模型，让第一次启动更快。"""
    knowledge_base_of(settings_and_data(data, kb))


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False))


def _write(path: Path, write: Any) -> None:
    """Write a file that was asked for.

    Raises:
        KefuError: It cannot be written; says why.
    """
    try:
        write(path)
    except OSError as error:
        raise KefuError(f"{path}: 写不了（{error.strerror}）；换个文件夹，或先建好它") from error
