"""Errors that stop kefu from starting or a command from working: one line that says what to do.

KefuError
├── BadSetting    a KEFU_* value is wrong
├── DataInUse     another kefu runs on the same data folder
├── PortInUse     something listens on the port already
└── BadData       the database or the data folder cannot be used
"""

from __future__ import annotations


class KefuError(Exception):
    """Base of what a command tells and then ends with exit status 2."""


class BadSetting(KefuError):
    """A setting is wrong."""


class DataInUse(KefuError):
    """Another process works on the same data."""


class PortInUse(KefuError):
    """The port is taken."""


class BadData(KefuError):
    """The data cannot be used."""
