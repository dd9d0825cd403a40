"""Engines, units of work, keys."""
