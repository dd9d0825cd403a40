"""Agents: accounts, passwords, sessions."""
