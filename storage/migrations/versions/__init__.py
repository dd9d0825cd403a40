"""Revisions, each reviewed code."""
