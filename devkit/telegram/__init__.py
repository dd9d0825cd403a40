"""A Bot API server with one bot, its customers and its groups."""

from devkit.telegram.platform import FakeTelegram

__all__ = ["FakeTelegram"]
