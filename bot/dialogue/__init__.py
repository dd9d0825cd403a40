"""Deciding what to do with an utterance. Pure."""
