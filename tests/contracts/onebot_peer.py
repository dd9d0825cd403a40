"""Runs the OneBot side of ``euler-onebot`` for a test, in a Python where that is installed.

It reads what a customer sends from standard input, a JSON object a line (``segments``,
``user_id``), hands it to the peer's own event models and adapter, and writes each text that the
bot sends. What the adapter does with actions that it does not know is left to it.

``test_onebot_peer.py`` starts it. Nothing of kefu is imported, and nothing of the peer copied.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import time
from typing import Any


class Peer:
    """The peer's adapter, and its models by name."""

    def __init__(self, port: int, self_id: int) -> None:
        # whoever collects tests has no such packages: they are loaded where they are used
        importlib.import_module("euleronebot.hyperogger").Logger.create("euler", "ERROR", False)
        config = importlib.import_module("euleronebot.config")
        self.api = importlib.import_module("euleronebot.onebot.api")
        self.events = importlib.import_module("euleronebot.onebot.events")
        segments: Any = importlib.import_module("euleronebot.onebot.segments")
        adapter: Any = importlib.import_module("euleronebot.onebot").Adapter
        adapter_of = importlib.import_module("pydantic").TypeAdapter
        self.adapter = adapter([config.ForwardWebsocketConfig(url=f"ws://127.0.0.1:{port}")])
        self._part = adapter_of(segments.SegmentUnion)
        self._self_id = self_id

    def event(self, told: dict[str, Any], number: int) -> Any:
        """A private message, by the peer's own model."""
        user_id = told["user_id"]
        sender = {"user_id": user_id, "nickname": "小明", "sex": "unknown", "age": 0}
        return self.events.PrivateMessageEvent(
            time=told.get("time", int(time.time())),
            self_id=self._self_id,
            message_id=number,
            user_id=user_id,
            message=[self._part.validate_python(one) for one in told["segments"]],
            raw_message="",
            sender=self.events.PrivateSender(**sender),
        )

    async def answers(self) -> None:
        """Take what the bot sends, and show it."""
        number = 9000
        while True:
            call = await self.adapter.api_calls.get()
            if call.action != "send_private_msg":
                continue
            number += 1
            shown = "".join(one.data.text for one in call.params.message if one.type == "text")
            told = json.dumps({"user_id": call.params.user_id, "text": shown})
            sys.stdout.write(told + "\n")
            sys.stdout.flush()
            answer = {"status": "ok", "retcode": 0, "data": {"message_id": number}}
            response = self.api.SendPrivateMessageResponse(**answer, echo=call.echo)
            await self.adapter.report(response)


async def main(port: int, self_id: int) -> None:
    """Serve until standard input ends."""
    peer = Peer(port, self_id)
    await peer.adapter.setup()
    tasks = [asyncio.create_task(one) for one in (peer.adapter.cycle(), peer.answers())]
    loop = asyncio.get_running_loop()
    number = 1
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        number += 1
        await peer.adapter.trigger(peer.event(json.loads(line), number))
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
