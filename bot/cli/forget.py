"""Deleting what is kept of one customer, who asked for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bot.app.persistence.retention import BATCH
from bot.app.process.errors import BadData
from connectors.media.store import MediaStore
from shop.domain.numbers import read_number
from storage.storage import Storage
from storage.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Kept:
    """Counts of what is kept of a channel identity."""

    identity: str
    conversations: int
    messages: int


async def found(storage: Storage, customer: str) -> list[Kept]:
    """Return the identities that are meant.

    Args:
        customer: ``channel:account:user``, or the number of an order that they asked about.

    Raises:
        BadData: Nobody is.
    """

    def unit(work: UnitOfWork) -> list[Kept]:
        if ":" in customer:
            identities = [customer]
        else:
            identities = list(work.retention.identities_of_order(read_number(customer)))
        return [Kept(identity, *work.retention.counts_of(identity)) for identity in identities]

    kept = [counts for counts in await storage.read(unit) if counts.conversations]
    if not kept:
        raise BadData(
            f"{customer}: 没有这位顾客 (nobody)；写“渠道:账号:用户”，例如 telegram:main:12345，"
            "或者这位顾客查过的订单号"
        )
    return kept


async def forget_customer(storage: Storage, media: MediaStore, identity: str) -> None:
    """Delete the messages of an identity with what hangs on them, its files and its records."""
    while ids := await storage.read(lambda work: work.retention.messages_of(identity, BATCH)):
        some = list(ids)
        gone = await storage.write(lambda work: work.retention.forget_messages(some))  # noqa: B023 - run at once
        await asyncio.to_thread(media.remove, gone.files)
    files = await storage.write(lambda work: work.retention.forget_identity(identity))
    await asyncio.to_thread(media.remove, files)
