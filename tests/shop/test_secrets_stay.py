"""Secrets are found nowhere but where they belong."""

from __future__ import annotations

import asyncio
import traceback
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, Table, select
from structlog.testing import capture_logs

from handoff.errors import Conflict
from shop.demo.seeding import demo_shop
from shop.domain.cards import StockState
from shop.domain.numbers import OrderNumber
from shop.domain.topups import TopUp
from storage.tables import shop as tables
from tests.factories.shop import (
    EMAIL,
    NOON,
    NUMBER,
    PASSWORD,
    Shop,
    a_card,
    a_requester,
    an_order,
)

TABLES = [table for table in vars(tables).values() if isinstance(table, Table)]
SECRET = "STAR-7KQ2-M8XD-41VN-9CHT"
ACCOUNT = "player-77889900"
GUESS = "guessed-password"
SECRETS = (SECRET, PASSWORD, EMAIL, ACCOUNT, GUESS)


async def _everything(shop: Shop) -> list[object]:
    """Everything that a day in the shop leaves: answers, effects, views, panels."""
    topup = TopUp.submitted(ACCOUNT, at=NOON)
    other = OrderNumber("DD" + "7" * 20)
    await shop.has(an_order(), an_order(other, topup=topup), cards=(a_card(SECRET),))
    left: list[object] = [await shop.gate.order(a_requester(), other, proof=SecretStr(PASSWORD))]
    proofs = [None, GUESS, EMAIL, PASSWORD]
    for at, proof in enumerate(proofs):
        requester = a_requester(turn_id=f"t{at}")
        typed = None if proof is None else SecretStr(proof)
        looked = await shop.gate.order(requester, NUMBER, proof=typed)
        resent = await shop.gate.resend(requester, NUMBER, proof=typed)
        await shop.commit((*looked.effects, *resent.effects))
        left += [looked, resent]
        shop.clock.pass_(minutes=2)
    stranger = a_requester("web:default:stranger", sources=())
    left += [
        await shop.gate.order(stranger, NUMBER, proof=SecretStr(f"{GUESS}{at}")) for at in range(6)
    ]
    code = await shop.gate.send_code(a_requester(turn_id="t9"), NUMBER)
    await shop.commit(code.effects)
    left += [code, *shop.mails]
    left.append(await shop.gate.card(a_requester(), SecretStr(SECRET)))
    left.append(await shop.panel.customer_panel(a_requester().identity))
    left.append(await shop.backend.find_order(NUMBER))
    left.append(demo_shop(b"seed", NOON))
    return left


async def test_no_log_line_and_no_repr_holds_a_secret(
    shop: Shop, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with capture_logs() as events:
        left = await _everything(shop)
    outcomes = {getattr(one, "outcome", None) for one in left}
    assert {"shown", "mailed", "not_found", "locked"} <= outcomes

    written = [repr(events), repr(left), *capsys.readouterr(), caplog.text]
    found = [secret for secret in SECRETS for text in written if secret in text]

    assert found == []


async def test_no_table_holds_a_secret_in_clear(shop: Shop, engine: Engine) -> None:
    await _everything(shop)

    with engine.connect() as connection:
        rows = [repr(row) for table in TABLES for row in connection.execute(select(table))]

    assert [secret for secret in SECRETS for row in rows if secret in row] == []


def _all_files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_the_database_file_holds_no_secret(shop: Shop, tmp_path: Path) -> None:
    await _everything(shop)

    # on PostgreSQL there is no file of ours, and nothing to find
    stored = await asyncio.to_thread(_all_files, tmp_path)

    assert [secret for secret in SECRETS if secret.encode() in stored] == []


async def test_a_refused_import_does_not_tell_the_secret(shop: Shop) -> None:
    await shop.has(an_order(), cards=(a_card(SECRET),))
    card, secret = a_card(SECRET, stock_state=StockState.AVAILABLE)

    with pytest.raises(Conflict) as caught:
        await shop.has(cards=((replace(card, id="another"), secret),))

    told = "".join(traceback.format_exception(caught.value))
    assert SECRET not in told
