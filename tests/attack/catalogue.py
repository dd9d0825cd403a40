"""Every attack that is meant to starve others, by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.attack.drivers import chat, http, platforms
from tests.attack.front import Front


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack.

    Attributes:
        run: Attacks until its front says that it is over.
        few: Actions of the short form.
        bounds: Of these answers at least one has to come: they show that a limit exists. Empty
            where being served is no harm, or being left waiting is the limit.
    """

    run: Callable[[Front], Awaitable[None]]
    few: int
    bounds: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Its name, as it is written on a command line."""
        return self.run.__name__

    @property
    def title(self) -> str:
        """What it does, in a sentence."""
        return (self.run.__doc__ or "").splitlines()[0]


_SHED = frozenset(
    {"429", "413", "503", "visitor 429", "visitor 503", "handshake 429", "handshake 503"}
    | {"ws 1013", "ws 1008", "ws 4429", "ws 1009", "frame too_fast"}
)

ATTACKS = {
    attack.name: attack
    for attack in (
        Attack(http.tiny_parts, few=6, bounds=frozenset({"413", "400", "415", "429"})),
        Attack(http.images, few=300, bounds=_SHED),
        Attack(http.log_ins, few=500, bounds=frozenset({"429"})),
        Attack(http.deep_json, few=60, bounds=frozenset({"400", "401", "413", "422"})),
        Attack(http.forged_hooks, few=150, bounds=frozenset({"401", "403", "429"})),
        Attack(http.pages, few=400),
        Attack(http.slow_headers, few=500),
        Attack(http.slow_bodies, few=500),
        Attack(http.silent, few=500),
        Attack(chat.sockets, few=700, bounds=_SHED),
        Attack(chat.more_sockets, few=2_000, bounds=_SHED),
        Attack(chat.dear_texts, few=30),
        Attack(chat.masked_texts, few=33),
        Attack(chat.card_texts, few=30),
        Attack(chat.frames, few=6_000, bounds=_SHED),
        Attack(
            chat.big_frames,
            few=60,
            bounds=_SHED | {"ws 1006", "frame too_large", "frame bad_frame"},
        ),
        Attack(chat.histories, few=200, bounds=_SHED),
        Attack(chat.visitors, few=600, bounds=_SHED),
        Attack(platforms.one_app_user, few=150),
        Attack(platforms.one_telegram_user, few=150),
        Attack(platforms.one_onebot_user, few=150),
        Attack(platforms.forged_onebot, few=150, bounds=frozenset({"401", "403", "429"})),
    )
}
