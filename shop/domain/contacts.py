"""The contact a buyer left on an order."""

from __future__ import annotations

import hmac
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from pydantic import SecretStr

from shop.domain.folding import until_stable
from shop.domain.masking import mask_contact


class ContactKind(StrEnum):
    """How somebody can be reached."""

    EMAIL = "email"
    PHONE = "phone"
    QQ = "qq"
    OTHER = "other"


_DECORATION = re.compile(r"[\s\-()+.]")
_PHONE = re.compile(r"(?:00)?(?:86)?(1[3-9]\d{9})")
_QQ = re.compile(r"(?:qq(?:号|号码)?[:：]?)?(\d{5,12})")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def normalize_contact(text: str) -> tuple[ContactKind, str]:
    """One spelling for each contact, and what kind it is; ``""`` for an empty one.

    >>> normalize_contact(" Ａbc@Example.com ")
    (<ContactKind.EMAIL: 'email'>, 'abc@example.com')
    >>> normalize_contact("+86 138-0013-8000")
    (<ContactKind.PHONE: 'phone'>, '13800138000')
    >>> normalize_contact("QQ：12345678")
    (<ContactKind.QQ: 'qq'>, '12345678')
    """
    folded = until_stable(
        lambda one: " ".join(unicodedata.normalize("NFKC", one).casefold().split()), text
    )
    if _EMAIL.fullmatch(folded):
        return ContactKind.EMAIL, folded
    compact = _DECORATION.sub("", folded)
    if found := _PHONE.fullmatch(compact):
        return ContactKind.PHONE, found[1]
    if found := _QQ.fullmatch(compact):
        return ContactKind.QQ, found[1]
    return ContactKind.OTHER, folded


@dataclass(frozen=True, slots=True)
class Contact:
    """Where the buyer of an order is reached.

    Attributes:
        value: Normalised.
        mask: What may be shown of it.
    """

    kind: ContactKind
    value: SecretStr
    mask: str

    @classmethod
    def of(cls, text: str) -> Contact:
        """The contact that somebody typed."""
        kind, value = normalize_contact(text)
        return cls(kind, SecretStr(value), mask_contact(value))

    def is_same(self, typed: SecretStr) -> bool:
        """Whether this was typed; an empty one never is. Takes the same time at any difference."""
        stored = self.value.get_secret_value().encode()
        given = normalize_contact(typed.get_secret_value())[1].encode()
        return bool(stored) and hmac.compare_digest(stored, given)
