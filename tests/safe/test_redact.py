"""Secrets of the environment are cut out of texts, however they are spelled."""

from __future__ import annotations

import base64
import json
from html import escape
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iaiflow_lab.safe.redact import HIDDEN, redactor

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
