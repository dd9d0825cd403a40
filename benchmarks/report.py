"""The running product's figures as a table for people; beside them what was aimed at."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.figures import Figures, Load
from benchmarks.lines import aim, ms, row

AIM_PER_S = 300
AIM_P99_MS = 100
AIM_P99_AT_PER_S = 100
AIM_READY_S = 3
AIM_MEMORY_MB = 250


def table(figures: Figures) -> str:
    """All figures, one a line: what, measured, aim."""
    lines = [
        f"kefu, SQLite, {figures.at}",
        f"{figures.machine}",
        f"$ {figures.command}",
        "",
        *_rows(figures),
        "",
        "for comparison: Rasa 3.6 answers 36 messages/s with 1 GB",
    ]
    return "\n".join(lines)


def _rows(figures: Figures) -> Iterator[str]:
    most = figures.throughput
    yield row(
        "messages/s, end to end",
        f"{most.per_s:,.0f}",
        aim(f"≥ {AIM_PER_S}", is_met=most.per_s >= AIM_PER_S),
    )
    yield row("  answered · lost · waited", f"{most.answered:,} · {most.lost} · {most.waited}")
    yield row("  reply time then", ms(most.reply))
    for load in figures.paced:
        yield row(f"reply time at {load.rate_per_s:.0f}/s", ms(load.reply), _paced_aim(load))
        yield row("  until stored (ack)", ms(load.ack))
        if load.lost or load.waited:
            yield row("  lost · waited", f"{load.lost} · {load.waited}")
    yield row("with a fragment's wait (800 ms)", ms(figures.fragment))
    yield row("ready, cold", f"{figures.cold_start_s:.1f} s", "fits recognition, makes tables")
    yield row(
        "ready, warm",
        f"{figures.warm_start_s:.1f} s",
        aim(f"≤ {AIM_READY_S} s", is_met=figures.warm_start_s <= AIM_READY_S),
    )
    yield row("memory after start", f"{figures.memory_start_mb:.0f} MB")
    yield row(
        "memory after load",
        f"{figures.memory_load_mb:.0f} MB (peak {figures.memory_peak_mb:.0f})",
        aim(f"≤ {AIM_MEMORY_MB} MB", is_met=figures.memory_load_mb <= AIM_MEMORY_MB),
    )
    yield ""
    yield "where the time goes, CPU a message, at full speed:"
    cost = most.cost
    yield row("  server", f"{cost.server:.2f} ms", f"{cost.kernel:.2f} of it in the kernel")
    yield row("    event loop", f"{cost.loop:.2f} ms", "sockets, protocol, recognition, deciding")
    yield row("    database writer", f"{cost.writer:.2f} ms")
    yield row("    database readers, rest", f"{cost.readers:.2f} ms")
    yield row("  the load itself", f"{cost.client:.2f} ms", "another process")
    yield row("  written to the disk", f"{cost.written_kb:.1f} kB")


def _paced_aim(load: Load) -> str:
    if load.rate_per_s != AIM_P99_AT_PER_S:
        return ""
    return aim(f"p99 ≤ {AIM_P99_MS} ms", is_met=load.reply.p99 <= AIM_P99_MS)
