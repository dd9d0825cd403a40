"""Shops that the bot can look things up in."""
