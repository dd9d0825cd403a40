"""The port that the server listens on."""

from __future__ import annotations

import socket

from bot.app.process.errors import PortInUse
from bot.app.settings import Settings


def listening(settings: Settings) -> socket.socket:
    """Open the configured port.

    Raises:
        PortInUse: It cannot be had; the message says what to do.
    """
    try:
        return socket.create_server((settings.host, settings.port), backlog=512)
    except OSError as error:
        raise PortInUse(
            f"{settings.host}:{settings.port} 用不了（{error.strerror}）：可能已经有程序占用，"
            "换一个端口（--port 或 KEFU_PORT）再试"
        ) from error


def url_of(listener: socket.socket) -> str:
    """Return the address to open on this machine."""
    host, port = listener.getsockname()[:2]
    return f"http://{_reachable(host)}:{port}"


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - shown, not bound
