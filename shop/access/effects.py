"""What a request changes, told by the gate and committed together with the turn that made it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from pydantic import SecretStr

from shop.domain.ports import Deliveries, Proofs
from shop.domain.proofs import Code, Factor, Proof
from shop.domain.records import Disclosed, Resent


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to put into the outbox.

    Attributes:
        idempotency_key: Equal for the same mail of the same turn.
    """

    to: SecretStr
    subject: str
    body: SecretStr
    idempotency_key: str


Effect: TypeAlias = Proof | Code | Disclosed | Resent | Mail


class EffectWork(Protocol):
    """The repositories that effects are written to."""

    @property
    def proofs(self) -> Proofs:
        """What was proved."""

    @property
    def deliveries(self) -> Deliveries:
        """What was sent again and shown."""


def apply_effects(work: EffectWork, effects: Iterable[Effect]) -> tuple[Mail, ...]:
    """Write a turn's effects inside its unit; applying them twice changes nothing more.

    Returns:
        The mails, which the caller puts into the outbox in the same unit.
    """
    mails: list[Mail] = []
    for effect in effects:
        match effect:
            case Mail():
                mails.append(effect)
            case Proof():
                work.proofs.add(effect)
                if effect.factor is Factor.CODE:
                    work.proofs.forget_code(effect.number, effect.identity)
            case Code():
                work.proofs.put_code(effect)
            case Disclosed():
                work.deliveries.disclose(effect)
            case Resent():
                work.deliveries.add(effect)
    return tuple(mails)
