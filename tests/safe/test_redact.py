"""Secrets of the environment are cut out of texts, however they are spelled."""

from __future__ import annotations

import base64
import json
from html import escape
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iaiflow_lab.safe.redact import HIDDEN, Hider, redactor

VALUE = 'pa"ss\\w0rd & <more>/ü'


@pytest.mark.parametrize(
    "name",
    ["OPENAI_API_KEY", "APIKEY", "GITHUB_TOKEN", "token", "CLIENT_SECRET", "DB_PASSWORD",
     "PASSWORD_OF_DB", "pgpasswd", "SSH_PASSPHRASE", "AWS_CREDENTIALS", "SMTP_PASS", "MYSQL_PWD",
     "GITHUB_PAT"],
)  # fmt: skip
def test_variables_that_are_named_like_secrets_are_hidden(name):
    assert redactor({name: "hunter22"})("is hunter22!") == f"is {HIDDEN}!"


@pytest.mark.parametrize(
    "name", ["HOME", "KEYBOARD", "TOKENS_PER_MINUTE", "MONKEY", "SECRETARY", "PWD"]
)
def test_other_variables_are_left_alone_unless_they_are_named(name):
    assert redactor({name: "hunter22"})("is hunter22!") == "is hunter22!"
    assert redactor({name: "hunter22"}, {name})("is hunter22!") == f"is {HIDDEN}!"


@pytest.mark.parametrize(
    "spell",
    [
        str,
        repr,
        json.dumps,
        lambda text: json.dumps(text, ensure_ascii=False),
        lambda text: quote(text, safe=""),
        escape,
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    ],
)
def test_a_secret_is_found_however_it_is_spelled(spell):
    cut = redactor({"MY_SECRET": VALUE})(f"<{spell(VALUE)}>")
    assert HIDDEN in cut
    assert "w0rd" not in cut
    assert spell(VALUE).strip("'\"=") not in cut


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgres://anna:hunter22@db/x", "no hunter22 here"),
        ("redis://:hunter22@cache:6379", "redis://:hunter22@cache:6379"),
        ("a://u:hunter%2122@h,b://u:other@h", "it is hunter!22"),
    ],
)
def test_passwords_in_addresses_are_hidden(address, said):
    hide = redactor({"DATABASE_URL": address})
    assert "hunter" not in hide(said)
    assert hide("anna at db, cache:6379") == "anna at db, cache:6379"


def test_headers_are_hidden_together_and_singly():
    given = "x-team = blue-team, authorization=Bearer hunter22"
    hide = redactor({"COLLECTOR": given}, headers={"COLLECTOR"})
    assert hide(f"<{given}>") == f"<{HIDDEN}>"
    assert hide("blue-team sent hunter22 as Bearer") == f"{HIDDEN} sent {HIDDEN} as Bearer"
    assert redactor({}, headers={"COLLECTOR", ""})("as it is") == "as it is"


def test_each_line_of_a_long_secret_is_hidden():
    hide = redactor({"PRIVATE_KEY": "-----BEGIN KEY-----\nc2VjcmV0bGluZQ==\n-----END KEY-----\n"})
    assert hide("  c2VjcmV0bGluZQ==") == f"  {HIDDEN}"


def test_what_is_too_short_for_a_secret_cuts_up_no_words():
    assert redactor({"SORT_KEY": "name", "A_TOKEN": ""})("my name") == "my name"


def test_the_longer_of_two_secrets_leaves_no_rest():
    assert redactor({"A_KEY": "secret", "B_KEY": "secret-and-more"})("secret-and-more") == HIDDEN


@given(
    secret=st.text(min_size=6).filter(lambda text: len(text.strip()) >= 6),
    before=st.text(),
    after=st.text(),
)
def test_no_text_keeps_a_secret(secret, before, after):
    cut = redactor({"X_KEY": secret})(before + secret + after)
    assert all(secret not in rest for rest in cut.split(HIDDEN))


SPELLINGS = [
    str,
    repr,
    json.dumps,
    lambda text: json.dumps(json.dumps({"a": [text]})),
    lambda text: json.dumps(text, ensure_ascii=False),
    quote,
    lambda text: quote(text, safe=""),
    escape,
    lambda text: text.encode().hex(),
    lambda text: text.encode().hex().upper(),
    lambda text: repr(text.encode()),
    *(
        lambda text, n=n, encode=encode: encode(b"x" * n + text.encode() + b"y").decode()
        for n in range(3)
        for encode in (base64.b64encode, base64.urlsafe_b64encode)
    ),
]

values = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, blacklist_categories=["Cs", "Cc", "Zs"]),
    min_size=6,
    max_size=40,
)


@given(value=values, spell=st.sampled_from(SPELLINGS), cuts=st.lists(st.integers(0, 400)))
def test_a_secret_that_comes_in_pieces_is_found(value, spell, cuts):
    hider = Hider()
    hider.add(value)
    text = f"before {spell(value)} after"
    places = sorted({0, len(text), *(cut % len(text) for cut in cuts)})
    stream = hider.stream()
    pieces = [text[a:b] for a, b in pairwise(places)]
    shown = "".join(map(stream.feed, pieces)) + stream.end()
    assert HIDDEN in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert not hider.is_in(shown.replace(HIDDEN, "\0").encode())


@given(pieces=st.lists(st.text("abc", max_size=9)))
def test_a_stream_without_secrets_is_what_it_was(pieces):
    hider = Hider()
    hider.add("abcabca", "cccccccc")
    stream = hider.stream()
    assert "".join(map(stream.feed, pieces)) + stream.end() == hider.text("".join(pieces))


def test_a_longer_secret_that_begins_like_another_is_hidden_whole():
    hider = Hider()
    hider.add("hunter", "hunter22")
    stream = hider.stream()
    assert stream.feed("is hunter") == "is "
    assert stream.feed("22!") + stream.end() == f"{HIDDEN}!"


def test_values_that_hold_no_secret_are_given_back_themselves():
    hider = Hider()
    value = {"a": ["b", 1, {"c": None}]}
    assert hider.data(value) is value
    hider.add("hunter22")
    assert hider.data(value) is value
    assert hider.data({"hunter22": ["x hunter22", 1]}) == {HIDDEN: [f"x {HIDDEN}", 1]}


def test_files_that_are_no_text_keep_their_length():
    hider = Hider()
    hider.add("hunter22")
    assert hider.content(b"\xff\x00hunter22\xfe") == b"\xff\x00********\xfe"
    assert hider.content(b"is hunter22") == f"is {HIDDEN}".encode()


def test_short_values_are_left_alone():
    hider = Hider()
    hider.add("short", "")
    assert not hider
    assert hider.text("short") == "short"


def test_the_beginning_of_a_secret_at_a_cut_is_left_out():
    hider = Hider()
    hider.add("hunter22")
    assert hider.clipped("is hunt") == "is "
    assert hider.clipped("is hunter22") == f"is {HIDDEN}"
