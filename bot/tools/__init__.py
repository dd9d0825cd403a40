"""The bot's tools, and what kb.yaml may know of them."""
