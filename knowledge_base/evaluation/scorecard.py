"""An evaluation as text: figures, recall of each intent, what was taken for what."""

from collections.abc import Iterator

from knowledge_base.evaluation.evaluation import FIGURES, Confusion, Report

SHOWN = 15
"""Lines of a list that are shown unless all are asked for."""
_BAR_CHARS = 20


def as_text(report: Report, *, shows_all: bool = False) -> str:
    """An evaluation for a person, the worst first.

    Args:
        shows_all: Also what is beyond the worst 15 of a list.
    """
    parts = (_figures(report), _recalls(report, shows_all), _confusions(report, shows_all))
    return "\n".join(line for part in parts for line in part)


def _figures(report: Report) -> Iterator[str]:
    yield f"{report.n} 条有意图 (in scope)，{report.n_oos} 条不归我们管 (out of scope)"
    for name, words in FIGURES:
        share = getattr(report, name)
        yield f"{name:<16}{'      –' if share is None else f'{share:7.1%}'}  {words}"
    latency = "，".join(f"{name} {ms:.2f} ms" for name, ms in report.latency_ms.items())
    yield f"训练 {report.fit_s:.1f} 秒；认一句 {latency}"


def _recalls(report: Report, shows_all: bool) -> Iterator[str]:  # noqa: FBT001 - passed on
    weak = [name for name, (right, rows) in report.recall.items() if right < rows]
    yield ""
    perfect = len(report.recall) - len(weak)
    yield f"每个意图认对多少 (recall)：{perfect} 个全对，{len(weak)} 个有错"
    shown = list(report.recall) if shows_all else weak[:SHOWN]
    for name in shown:
        right, rows = report.recall[name]
        bar = "█" * round(_BAR_CHARS * right / rows)
        yield f"  {right / rows:4.0%} {bar:<{_BAR_CHARS}} {f'{right}/{rows}':<8}{name}"
    yield from _rest(len(weak) - len(shown), "个")


def _confusions(report: Report, shows_all: bool) -> Iterator[str]:  # noqa: FBT001 - passed on
    if not report.confusions:
        return
    yield ""
    yield "认成了什么 (confusions)：应该是 → 认成了"
    shown = report.confusions if shows_all else report.confusions[:SHOWN]
    yield from (_line(confusion) for confusion in shown)
    yield from _rest(len(report.confusions) - len(shown), "种")


def _line(confusion: Confusion) -> str:
    wrong = f"，其中答错 {confusion.answered} 次" if confusion.answered else ""
    times = f"{confusion.times} 次{wrong}，如 “{confusion.examples[0]}”"
    return f"  {confusion.wanted} → {confusion.taken}：{times}"


def _rest(count: int, unit: str) -> Iterator[str]:
    if count > 0:
        yield f"  另有 {count} {unit}，用 --all 看全部"
