"""What the shop knows: kb.yaml, and recognising what a customer wants."""
