"""The bot's own sentences, and composing replies of them. Pure."""
