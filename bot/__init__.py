"""The bot: one turn from a message to its replies, and where everything is wired."""
