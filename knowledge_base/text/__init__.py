"""Normalising and reading what customers type."""
