"""Channels: the accounts that customers write to, and what goes out on each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from connectors.messages import ChannelRef
from handoff.console.api.errors import ApiError
from handoff.console.api.routing import Call, Route
from handoff.console.models import ChannelOut, ChannelsOut
from handoff.console.views import ViewWork
from handoff.console.wording import kind_text
from handoff.model.ports import Units

ChannelsOf = Callable[[], Sequence[ChannelOut]]
"""Every account as it is now; ``held`` is filled in here."""


class ChannelsApi:
    """Serves ``/channels``.

    Args:
        max_file_bytes: The largest file that agents may upload.
    """

    def __init__(
        self, units: Units[ViewWork], channels: ChannelsOf, *, max_file_bytes: int
    ) -> None:
        self._units = units
        self._channels = channels
        self._max_file_bytes = max_file_bytes

    def routes(self) -> list[Route]:
        """The routes of this noun."""
        return [
            Route(
                "GET",
                "/channels",
                self.channels,
                "How each account is, and what it can send",
                answer=ChannelsOut,
            )
        ]

    async def channels(self, _call: Call) -> ChannelsOut:
        """How each account is, and what it can send."""
        held = await self._units.read(lambda work: work.windows.held_counts())
        items = [
            one.model_copy(update={"held": held.get((one.channel, one.account), 0)})
            for one in self._channels()
        ]
        return ChannelsOut(items=items, max_file_bytes=self._max_file_bytes)


def require_sendable(channels: Sequence[ChannelOut], ref: ChannelRef, kinds: Sequence[str]) -> None:
    """Let files of these kinds pass where the account can send them.

    Raises:
        ApiError: It cannot; says what it can.
    """
    one = next((one for one in channels if (one.channel, one.account) == _key(ref)), None)
    unsent = [] if one is None else [kind for kind in kinds if kind not in one.sends]
    if one is None or not unsent:
        return
    able = "、".join(kind_text(kind) for kind in one.sends)
    text = f"{one.channel_title}发不了{kind_text(unsent[0])}，"
    text += f"只能发文字和{able}" if able else "只能发文字"
    raise ApiError(422, "cannot_send", text, kind=unsent[0])


def _key(ref: ChannelRef) -> tuple[str, str]:
    return (ref.channel, ref.account_id)
