"""How secrets look where they may not be read: logs, summaries, consoles."""

from __future__ import annotations

MIDDLE = "••••"
_SHORTEST_SHOWN = 8
_SHORTEST_LOCAL_PART_SHOWN = 5


def mask(text: str) -> str:
    """First and last two characters and a middle of fixed length; short texts show nothing.

    The middle is fixed so that a mask does not tell the length either. Works for card secrets,
    phone numbers and account names alike.

    >>> mask("STAR-7KQ2-M8XD-41VN")
    'ST••••VN'
    >>> mask("13800138000")
    '13••••00'
    >>> mask("1234567")
    '••••'
    """
    compact = text.strip()
    if len(compact) < _SHORTEST_SHOWN:
        return MIDDLE
    return f"{compact[:2]}{MIDDLE}{compact[-2:]}"


def mask_contact(text: str) -> str:
    """A contact that its owner recognises and nobody else can use.

    Of an e-mail address the domain stays: it says in which mailbox to look.

    >>> mask_contact("xiaoming@example.com")
    'xi••••@example.com'
    >>> mask_contact("li@example.com")
    '••••@example.com'
    """
    local, at, domain = text.strip().rpartition("@")
    if not at or not local:
        return mask(text)
    visible = local[:2] if len(local) >= _SHORTEST_LOCAL_PART_SHOWN else ""
    return f"{visible}{MIDDLE}@{domain}"
