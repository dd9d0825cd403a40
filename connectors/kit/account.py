"""One account in channels.yaml, as every channel has it; each channel adds its own fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from connectors.kit.secrets import MadeByUs, is_weak, origin_of
from connectors.media.addresses import PrivateHosts
from connectors.messages import ChannelRef


class Account(BaseModel):
    """An account of a shop on one channel.

    Attributes:
        channel: Which channel's code speaks for it.
        account: Our own short name of it: in webhook addresses, tables and the console. It must
            not change, or its customers become strangers.
        title: What agents read; the channel's name where it is empty.
        enabled: ``false`` leaves it out without losing its settings.
        steps: What its owner does on the platform's side, for ``kefu channels init``; ``{hook}``
            stands for our address for the platform, ``{socket}`` for that of our WebSocket.
        private_media: Hosts inside our own network from which this account's files may be fetched
            (a QQ client on the same machine).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    steps: ClassVar[tuple[str, ...]] = ()

    channel: str
    account: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")] = "main"
    title: str = ""
    enabled: bool = True
    private_media: Annotated[
        PrivateHosts,
        Field(description="内网里哪些地址可以取图片和文件，例如 [127.0.0.1:3000]；没写的一律不取"),
    ] = ()

    @classmethod
    def to_fill(cls, given: Mapping[str, str]) -> tuple[str, ...]:
        """The fields that a new entry needs a value for; ``given`` are those that have one."""
        needed = [name for name, field in cls.model_fields.items() if field.is_required()]
        return tuple(name for name in needed if name not in {"channel", *given})

    def weak_secrets(self) -> tuple[str, ...]:
        """Fields whose secret we chose, and chose so that it can be guessed."""
        return tuple(
            name
            for name, field in type(self).model_fields.items()
            if isinstance(origin_of(field), MadeByUs)
            and isinstance(value := getattr(self, name), SecretStr)
            and is_weak(value)
        )

    @property
    def ref(self) -> ChannelRef:
        """As messages name it."""
        return ChannelRef(self.channel, self.account)
