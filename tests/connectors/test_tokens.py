from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.web.tokens import LIFETIME, MEDIA_LIFETIME, TokenSigner
from tests.factories.shop import NOON

SITE = "default"


@pytest.fixture
def signer() -> TokenSigner:
    return TokenSigner(b"k" * 32)


def test_a_token_names_its_visitor_until_it_is_too_old(signer: TokenSigner) -> None:
    token, visitor = signer.new_visitor(SITE, NOON)
    assert signer.check(token, SITE, NOON) == visitor.visitor_id
    assert signer.check(token, SITE, NOON + LIFETIME - timedelta(seconds=1)) == visitor.visitor_id
    assert signer.check(token, SITE, NOON + LIFETIME) is None


def test_two_visitors_have_different_ids(signer: TokenSigner) -> None:
    assert signer.new_visitor(SITE, NOON)[1] != signer.new_visitor(SITE, NOON)[1]


def test_a_renewed_token_names_the_same_visitor_for_longer(signer: TokenSigner) -> None:
    _, visitor = signer.new_visitor(SITE, NOON)
    renewed, _ = signer.renew(visitor.visitor_id, SITE, NOON + timedelta(days=100))
    assert signer.check(renewed, SITE, NOON + timedelta(days=200)) == visitor.visitor_id


def test_a_token_of_another_site_or_another_key_names_nobody(signer: TokenSigner) -> None:
    token, _ = signer.new_visitor("other", NOON)
    assert signer.check(token, SITE, NOON) is None
    foreign, _ = TokenSigner(b"x" * 32).new_visitor(SITE, NOON)
    assert signer.check(foreign, SITE, NOON) is None


@given(place=st.integers(min_value=0, max_value=200), char=st.characters())
def test_a_token_with_any_character_changed_names_nobody(place: int, char: str) -> None:
    signer = TokenSigner(b"k" * 32)
    token, _ = signer.new_visitor(SITE, NOON)
    place %= len(token)
    changed = token[:place] + char + token[place + 1 :]
    assert changed == token or signer.check(changed, SITE, NOON) is None


@given(st.text(max_size=300))
def test_text_that_is_no_token_names_nobody(text: str) -> None:
    assert TokenSigner(b"k" * 32).check(text, SITE, NOON) is None


def test_a_link_to_a_picture_opens_that_picture_only_and_not_for_ever(signer: TokenSigner) -> None:
    signature = signer.media_signature("a1", NOON)
    assert signer.may_see_media("a1", signature, NOON)
    assert not signer.may_see_media("a2", signature, NOON)
    assert not signer.may_see_media("a1", signature, NOON + MEDIA_LIFETIME + timedelta(days=1))
    assert signer.media_signature("a1", NOON + timedelta(hours=1)) == signature  # cacheable


@pytest.mark.parametrize("signature", ["", ".", "9999999.", "9999999.x", "x.y", "-1.a"])
def test_a_made_up_signature_opens_nothing(signer: TokenSigner, signature: str) -> None:
    assert not signer.may_see_media("a1", signature, NOON)


def test_a_link_signature_is_no_visitors_token(signer: TokenSigner) -> None:
    assert signer.check(signer.media_signature("a1", NOON), SITE, NOON) is None
