"""Catalogue of what customers read from the bot where kb.yaml does not word it, Chinese first."""
