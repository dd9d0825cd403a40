"""Pushed XML: the sealed part is found without parsing, and nothing unfolds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import BadWebhook
from connectors.kit.xml import check_xml, fields_of, sealed_texts
from tests.factories.growth import grows_in_proportion, repeated

SEALED = "QUJDREVGR0g="
BOMBS = {
    "laughs": '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><xml><C>&b;</C></xml>',
    "a file": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><xml><C>&e;</C></xml>',
    "a parameter": '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1/">%p;]><xml/>',
    "a bare DTD": "<!DOCTYPE x><xml><C>x</C></xml>",
    "a DTD elsewhere": '<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd"><xml/>',
    "an instruction": '<?xml-stylesheet href="http://127.0.0.1/"?><xml/>',
    "depth": "<xml>" + "<a>" * 50_000 + "</a>" * 50_000 + "</xml>",
    "width": "<xml>" + "<a/>" * 20_000 + "</xml>",
    "half": "<xml><C>",
    "two roots": "<xml/><xml/>",
    "an unknown entity": "<xml><C>&nope;</C></xml>",
    "a lone surrogate": "<xml><C>\ud800</C></xml>",
    "a NUL": "<xml><C>\x00</C></xml>",
    "nothing": "",
}


@pytest.mark.parametrize("document", BOMBS.values(), ids=BOMBS)
def test_what_no_push_looks_like_is_refused(document: str) -> None:
    for read in (check_xml, fields_of):
        with pytest.raises(BadWebhook) as refused:
            read(document)
        assert refused.value.status == 400


@pytest.mark.parametrize("around", ["{}", "\n {} \n", "<![CDATA[{}]]>", " <![CDATA[ {} ]]> "])
def test_the_sealed_part_is_found_however_it_is_written(around: str) -> None:
    body = f"<xml><ToUserName>x</ToUserName><Encrypt>{around.format(SEALED)}</Encrypt></xml>"
    assert sealed_texts(body.encode()) == [SEALED]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<xml/>",
        b"<Encrypt></Encrypt>",
        b"<Encrypt><a/></Encrypt>",
        b"<Encrypt>&amp;</Encrypt>",
        "<Encrypt>密文</Encrypt>".encode(),
        b"<Encrypt>QUJD" * 10_000,
        b"<Encrypt><Encrypt>" * 7_000,
        b"<Encrypt>" + b"<![CDATA[" * 14_000,
        b"<Encrypt>" + b" A" * 60_000 + b"</Encrypt>",
        b"<Encrypt>QUJDREVG</Encrypt>" * 9,
        b"<Encrypt>" + b" " * 100_000,
        b"<Encrypt>" + b"A" * 100_000,
    ],
)
def test_a_push_without_one_is_refused(body: bytes) -> None:
    with pytest.raises(BadWebhook) as refused:
        sealed_texts(body)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("head", "crumb"),
    [
        ("<Encrypt>", "QUJD"),
        ("", "<Encrypt>"),
        ("", "<Encrypt>QUJDREVG</Encrypt>"),
        ("<Encrypt>", "<![CDATA["),
        ("<Encrypt>", " "),
        ("<Encrypt>", " A"),
    ],
)
def test_a_push_is_refused_in_proportion_to_its_length(head: str, crumb: str) -> None:
    """A pattern with blanks on both sides took minutes."""

    def refuse(body: bytes) -> None:
        with pytest.raises(BadWebhook):
            sealed_texts(body)

    long, short = (f"{head}{repeated(crumb, length)}".encode() for length in (120_000, 15_000))
    assert grows_in_proportion(refuse, long, short)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_no_bytes_around_it_hide_the_sealed_part(before: bytes, after: bytes) -> None:
    assert SEALED in sealed_texts(before + f"<Encrypt>{SEALED}</Encrypt>".encode() + after)


@given(st.text(max_size=200))
def test_no_text_is_worse_than_refused(text: str) -> None:
    with pytest.raises(BadWebhook):
        fields_of(text)
