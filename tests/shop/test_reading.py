"""Numbers, contacts, masks and passwords as people type them."""

from __future__ import annotations

import secrets

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from shop.domain.contacts import Contact, ContactKind, normalize_contact
from shop.domain.masking import MIDDLE, mask, mask_contact
from shop.domain.numbers import (
    ALPHABET,
    new_number,
    read_number,
    show_number,
)
from shop.domain.passwords import Passwords, query_password_hasher
from tests.factories.shop import NUMBER, CountingHasher


@given(st.text(alphabet=ALPHABET, min_size=20, max_size=20))
def test_a_number_is_read_back_from_how_it_is_shown(body: str) -> None:
    assert read_number(show_number(f"DD{body}")) == f"DD{body}"


@pytest.mark.parametrize(
    "typed",
    [
        "dd-01234-56789-abcde-fghjk",
        "DD O1234 S6789".replace("S", "5") + " ABCDE FGHJK",
        "ＤＤ０１２３４５６７８９ＡＢＣＤＥＦＧＨＪＫ",
        "DD.OI234.56789_ABCDE—FGHJK",
        "DD-0l234-56789-ABCDE-FGHJK",
    ],
)
def test_a_number_is_read_however_it_is_typed(typed: str) -> None:
    assert read_number(typed) == NUMBER


@given(st.text(max_size=300))
def test_anything_can_be_read_as_a_number_and_reading_twice_changes_nothing(typed: str) -> None:
    once = read_number(typed)

    assert len(once) <= 64
    assert read_number(show_number(once)) == once


def test_numbers_hold_a_hundred_random_bits() -> None:
    numbers = {new_number(secrets.randbelow) for _ in range(1000)}

    assert len(numbers) == 1000
    assert len(ALPHABET) ** 20 == 2**100


@pytest.mark.parametrize(
    ("typed", "kind", "value"),
    [
        ("ＸＭ@Example.COM ", ContactKind.EMAIL, "xm@example.com"),
        ("0086 138 0013 8000", ContactKind.PHONE, "13800138000"),
        ("+86-13800138000", ContactKind.PHONE, "13800138000"),
        ("１３８００１３８０００", ContactKind.PHONE, "13800138000"),
        ("qq：123456", ContactKind.QQ, "123456"),
        ("QQ号 123456", ContactKind.QQ, "123456"),
        ("@telegram_user", ContactKind.OTHER, "@telegram_user"),
        ("", ContactKind.OTHER, ""),
    ],
)
def test_contacts_have_one_spelling(typed: str, kind: ContactKind, value: str) -> None:
    assert normalize_contact(typed) == (kind, value)


@given(st.text(max_size=80))
def test_normalizing_a_contact_twice_changes_nothing(typed: str) -> None:
    _, once = normalize_contact(typed)

    assert Contact.of(typed).is_same(SecretStr(once)) is bool(once)


def test_an_empty_contact_is_nobodys() -> None:
    assert not Contact.of("").is_same(SecretStr(""))
    assert not Contact.of("a@example.com").is_same(SecretStr(" "))


@given(st.text(max_size=80))
def test_a_mask_shows_four_characters_at_most_and_not_the_length(text: str) -> None:
    shown = mask(text)

    assert MIDDLE in shown
    assert len(shown) in {len(MIDDLE), len(MIDDLE) + 4}


def test_a_masked_mail_address_keeps_its_domain() -> None:
    assert mask_contact("xiaoming@example.com") == "xi••••@example.com"
    assert mask_contact("ab@example.com") == "••••@example.com"
    assert mask_contact("13800138000") == "13••••00"


@pytest.mark.parametrize("stored", [None, "", "real", "broken"])
@pytest.mark.parametrize("given_", ["", " ", "right", "wrong", "x" * 500])
def test_every_check_of_a_password_is_one_hash(stored: str | None, given_: str) -> None:
    hasher = CountingHasher()
    passwords = Passwords(hasher)
    if stored == "real":
        stored = passwords.hash(SecretStr("right"))

    is_right = passwords.matches(stored, SecretStr(given_))

    assert hasher.verifications == 1
    assert is_right is (given_ == "right" and stored not in {None, "", "broken"})


@pytest.mark.parametrize("empty", ["", "  ", "　", "x" * 129])
def test_a_password_that_could_never_be_given_is_not_stored(empty: str) -> None:
    with pytest.raises(ValueError, match="characters"):
        Passwords(CountingHasher()).hash(SecretStr(empty))


def test_query_passwords_are_hashed_as_owasp_asks_at_least() -> None:
    used = extract_parameters(query_password_hasher().hash("x"))

    assert used.type is Type.ID
    assert (used.memory_cost, used.time_cost, used.parallelism) == (19_456, 2, 1)
