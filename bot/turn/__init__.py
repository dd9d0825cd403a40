"""A turn: one conversation in order, from stored messages to committed replies."""
