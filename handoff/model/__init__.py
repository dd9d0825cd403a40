"""Conversations, transcripts and events, as they are stored."""
