"""Fake platforms to try kefu on: what ``kefu channels fake`` and the tests run."""
