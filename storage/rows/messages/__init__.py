"""Repositories of messages: in, kept, out."""
