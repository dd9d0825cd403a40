"""Knowledge of the shop: kb.yaml, and recognising what a customer wants."""
