"""Repositories of conversations, customers and agents."""
