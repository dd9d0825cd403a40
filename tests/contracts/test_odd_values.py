"""The same odd value comes to the same on both databases: kept as it is, or refused in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from handoff.errors import Refused, Unstorable
from storage.core.dialect import insert_or_ignore
from storage.core.errors import translate
from storage.storage import Storage
from storage.tables.base import BigId, Json
from storage.unit_of_work import UnitOfWork
from tests.factories.messaging import an_inbound, received

METADATA = sa.MetaData()
ODD = sa.Table(
    "odd_values",
    METADATA,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("words", sa.Text),
    sa.Column("number", sa.BigInteger),
    sa.Column("data", Json),
    sa.Column("name", sa.String(8)),
)
NAMED = sa.Table("odd_names", METADATA, sa.Column("name", sa.String(8), primary_key=True))
WHOLE = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)
BROKEN = st.builds(
    "{}{}{}".format, st.text(max_size=9), st.sampled_from(["\0", "\ud83d", "\udc00"]), st.text()
)
BEYOND = st.one_of(st.integers(min_value=2**63), st.integers(max_value=-(2**63) - 1))
on_one_database = settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def table(engine: Engine) -> Iterator[Engine]:
    METADATA.create_all(engine)
    yield engine
    METADATA.drop_all(engine)


def kept(engine: Engine, **values: object) -> Any:
    """Store a row, and read it again."""
    with engine.begin() as connection:
        connection.execute(sa.delete(ODD))
        connection.execute(sa.insert(ODD), values)
        return connection.execute(sa.select(ODD.c.words, ODD.c.number, ODD.c.data)).one()


@given(words=WHOLE, number=st.integers(-(2**63), 2**63 - 1))
@example(words="ﬁ ﷺ İ \x01\x7f\ufffe 👨‍👩‍👧 %_\\' \r\n", number=0)
@on_one_database
def test_whole_text_and_64_bits_are_kept_as_they_are(
    words: str, number: int, table: Engine
) -> None:
    row = kept(table, words=words, number=number)
    assert (row.words, row.number) == (words, number)


@given(value=st.recursive(st.none() | st.booleans() | st.text(), st.lists))
@example(value="\0 \ud83d \udc00")
@on_one_database
def test_json_keeps_even_what_text_cannot(value: object, table: Engine) -> None:
    assert kept(table, data={"value": value}).data == {"value": value}


@given(words=BROKEN)
@on_one_database
def test_broken_text_is_refused_in_words_and_not_repeated(words: str, table: Engine) -> None:
    with pytest.raises(Unstorable) as refused:
        kept(table, words=words)
    assert "字符" in str(refused.value)
    with pytest.raises(Unstorable), table.connect() as connection:
        connection.execute(sa.select(ODD).where(ODD.c.words == words))


@given(number=BEYOND)
@on_one_database
def test_numbers_beyond_64_bits_are_refused_in_words(number: int, table: Engine) -> None:
    with pytest.raises(Unstorable, match="数字"):
        kept(table, number=number)
    with pytest.raises(Unstorable, match="数字"), table.connect() as connection:
        connection.execute(sa.select(ODD).where(ODD.c.number > number))


@given(name=st.text(alphabet="a好👨 ", min_size=9, max_size=40))
@example(name="12345678 ")  # PostgreSQL drops blanks at the end, SQLite keeps all
@on_one_database
def test_text_longer_than_its_column_is_refused_in_words(name: str, table: Engine) -> None:
    kept(table, name="12345678", words=name)
    with pytest.raises(Unstorable, match="太长"):
        kept(table, name=name)
    with pytest.raises(Unstorable, match="太长"), table.begin() as connection:
        connection.execute(sa.insert(ODD), [{"name": "好"}, {"name": name}])
    with pytest.raises(Unstorable, match="太长"), table.begin() as connection:
        connection.execute(sa.update(ODD).values(name=name))


KEYS = st.text(alphabet="aAäÄßſsSiIİıkKKé\u0301e ﬁfi　-_", min_size=1, max_size=8)


@given(one=KEYS, other=KEYS)
@example(one="a", other="A")
@example(one="a", other="a ")
@example(one="\u00e9", other="e\u0301")
@example(one="s", other="ſ")
@on_one_database
def test_keys_are_equal_only_where_every_character_is(one: str, other: str, table: Engine) -> None:
    kept(table, name=one)
    found = sa.select(sa.func.count()).where(ODD.c.name == other)
    with table.connect() as connection:
        assert connection.execute(found).scalar() == (one == other)


@given(keys=st.lists(KEYS, min_size=1, max_size=12))
@on_one_database
def test_keys_that_differ_in_case_or_blanks_are_as_many_rows(
    keys: list[str], table: Engine
) -> None:
    with table.begin() as connection:
        connection.execute(sa.delete(NAMED))
        for key in keys:
            insert_or_ignore(connection, NAMED, {"name": key})
        assert set(connection.execute(sa.select(NAMED.c.name)).scalars()) == set(keys)


@given(needle=WHOLE.filter(bool))
@example(needle="%")
@example(needle="_")
@example(needle="100%\\")
@on_one_database
def test_a_search_for_signs_of_patterns_finds_just_them(needle: str, table: Engine) -> None:
    kept(table, words=f"前{needle}后")
    found = sa.select(sa.func.count()).where(ODD.c.words.contains(needle, autoescape=True))
    other = sa.select(sa.func.count()).where(ODD.c.words.contains(f"{needle}x", autoescape=True))
    with table.connect() as connection:
        assert connection.execute(found).scalar() == 1
        assert connection.execute(other).scalar() == 0


def test_an_empty_list_finds_nothing(table: Engine) -> None:
    kept(table, words="在")
    with table.connect() as connection:
        assert connection.execute(sa.select(ODD).where(ODD.c.words.in_([]))).all() == []
        assert len(connection.execute(sa.select(ODD).where(ODD.c.words.not_in([]))).all()) == 1


async def test_an_odd_unit_fails_alone_and_what_is_beside_it_is_stored(storage: Storage) -> None:
    def odd(work: UnitOfWork) -> object:
        return work.conversations.get("\0")  # type: ignore[arg-type]

    with pytest.raises(Refused):
        await storage.read(odd)
    with pytest.raises(Refused):
        await storage.write(odd)
    await storage.write(lambda work: work.probe())


async def test_a_message_with_odd_characters_is_stored_without_them(storage: Storage) -> None:
    (receipt,) = await received(storage, an_inbound("在\0吗\ud83d"))
    message = await storage.read(lambda work: work.messages.get(receipt.message_id))
    assert message is not None
    assert message.text == "在吗?"


def test_what_only_the_server_can_refuse_is_refused_in_words_as_well(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite keeps any length; the borders cut before")
    too_long = sa.select(sa.literal(2**40).cast(sa.Integer))
    with pytest.raises(sa.exc.DataError) as error, engine.begin() as connection:
        connection.execute(too_long)
    assert isinstance(translate(error.value), Unstorable)
