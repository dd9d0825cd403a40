"""A kefu beside several fakes, and a storm over them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

from bot.app.process import logs
from devkit.catalogue import a_fake
from devkit.platform import Fault
from tests.factories.channels import free_port, kefu_beside
from tests.storm.proxy import overtaking_proxy
from tests.storm.storm import RandomFaults, Storm, Tally, Weather, knowledge

CHANNELS = ("telegram", "wechat", "wecom", "onebot", "qq")
SENDS = {
    "telegram": "sendMessage",
    "wechat": "message/custom/send",
    "wecom": "kf/send_msg",
    "onebot": "send_",
    "qq": "messages",
    "app": "webhook",
}
"""What a platform's sending requests are called, in part."""
_BAD_GATEWAY = Fault("status", status=502)
_KINDS = (
    Fault("delay", seconds=0.1),
    Fault("drop_before"),
    Fault("drop_after"),
    _BAD_GATEWAY,
    Fault("status", status=503, body="busy", content_type="text/plain"),
)


async def storm_over(
    channels: Sequence[str], folder: Path, weather: Weather, seed: int
) -> dict[str, Tally]:
    """A storm over the fakes of these channels.

    Args:
        folder: Empty; the data folder and kb.yaml are made in it.
    """
    logs.configure("error", "text")
    random = Random(seed)  # noqa: S311 - a game
    platforms = [a_fake(channel) for channel in channels]
    for platform in platforms:
        platform.faults = RandomFaults(weather.faulty, _KINDS, SENDS[platform.channel], random)
    async with AsyncExitStack() as stack:
        for platform in platforms:
            await stack.enter_async_context(platform)
        proxy = await stack.enter_async_context(overtaking_proxy(free_port()))
        port = free_port()
        proxy.target = f"http://127.0.0.1:{port}"
        started = await stack.enter_async_context(
            kefu_beside(
                platforms,
                folder / "data",
                knowledge(folder),
                port=port,
                kefu_url=proxy.url,
                fragment_wait_s=0.0,
                log_level="error",
            )
        )
        return await Storm(started, platforms, weather, random, proxy).rage()
