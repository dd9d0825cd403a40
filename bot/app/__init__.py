"""Wiring and process: everything is built here and handed on by argument."""
