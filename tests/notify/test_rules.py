"""Rules: what is refused, and how they are seen from Python and from the command line."""

from __future__ import annotations

import json
from functools import partial

import pytest

from iaiflow_lab.errors import InputError, NotFoundError
from iaiflow_lab.lab.workspace import Lab
from iaiflow_lab.notify.problem import SendError
from iaiflow_lab.service import notifications
from iaiflow_lab.service.notifications import Channel

MAIL = '[smtp]\nhost = "mail.example.org"\nsender = "lab@example.org"\n'


@pytest.fixture
def iaiflow(workspace, command_line):
    (workspace / ".iaiflow").mkdir(exist_ok=True)
    (workspace / "flights.ipynb").write_text("{}")

    return partial(command_line, "notify")


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"target": "https://x.org/a b"}, "is no address that can be called"),
        ({"target": "file:///etc/passwd"}, "is no address that can be called"),
        ({"target": "https://user:secret@x.org"}, "is no address that can be called"),
        ({"target": "https://x.org/\u202e"}, "is no address that can be called"),
        ({"target": "env:not a name"}, "can't name an environment variable"),
        ({"secret": ""}, "nothing says with what"),
        ({"secret": "whsec_YWJj=="}, "can't name an environment variable"),
        ({"channel": Channel.SLACK, "secret": "HOOK"}, "A Slack message is not signed"),
        ({"channel": Channel.EMAIL, "target": "anna"}, "is no e-mail address"),
        ({"channel": Channel.EMAIL, "target": "a@b.c\r\nBcc: d@e.f"}, "is no e-mail address"),
        ({"channel": Channel.EMAIL, "target": "a@b.c,d@e.f"}, "is no e-mail address"),
        ({"channel": Channel.EMAIL, "target": "a@b.c", "secret": "X"}, "An e-mail is not signed"),
        ({"channel": Channel.EMAIL, "target": "a@b.c"}, "No server for e-mail is set"),
        ({"events": ()}, "tells nothing"),
        ({"group_s": -1.0}, "group_s = -1 is out of range"),
        ({"late_s": float("nan")}, "late_s = nan is out of range"),
        ({"flow": "../else.ipynb"}, "can't be used"),
    ],
)
def test_a_wrong_rule_is_one_sentence_and_leaves_nothing(desk, more, sentence):
    with pytest.raises(InputError, match=sentence) as refusal:
        desk.rule(**more)
    assert "whsec_YWJj" not in str(refusal.value)
    assert notifications.list_rules(desk.session) == []


def test_a_flow_that_is_not_there_is_said(desk):
    with pytest.raises(NotFoundError):
        desk.rule(flow="missing.ipynb")
    with pytest.raises(NotFoundError, match="There is no rule 'rule_0'"):
        notifications.get(desk.session, "rule_0")


def test_rules_on_the_command_line(iaiflow, workspace):
    (workspace / ".iaiflow" / "config.toml").write_text(MAIL)
    made = iaiflow(
        "add", "flights.ipynb", "--on", "failed", "--on", "late", "--email", "anna@example.org",
        "--quiet", "22:00-07:00", "--zone", "Europe/Berlin", "--group", "10m", "--late-after",
        "90s", "--json",
    )  # fmt: skip
    rule = json.loads(made.out)
    assert rule["quiet"] == "22:00-07:00 Europe/Berlin"
    assert (rule["group_s"], rule["late_s"], rule["events"]) == (600.0, 90.0, ["failed", "late"])
    iaiflow("add", "--slack", "env:SLACK")
    listed = iaiflow("ls")
    assert "flights.ipynb" in listed.out
    assert "all flows" in listed.out
    assert [each["flow"] for each in json.loads(iaiflow("ls", "--json").out)] == [
        "flights.ipynb",
        "",
    ]
    assert json.loads(iaiflow("pause", rule["id"], "--json").out)["state"] == "paused"
    assert "active" in iaiflow("resume", rule["id"]).out
    assert iaiflow("rm", rule["id"]).out == f"{rule['id']}  removed\n"
    assert iaiflow("rm", rule["id"]).status == 2


def test_a_test_message_from_the_command_line(iaiflow, workspace, site, monkeypatch):
    (workspace / ".iaiflow" / "config.toml").write_text(f'[fetch]\nallow = ["{site.allowed[0]}"]\n')
    site.answers["/s"] = (200, {}, b"ok")
    monkeypatch.setenv("SLACK", f"{site.origin}/s")
    rule = json.loads(iaiflow("add", "--slack", "env:SLACK", "--json").out)
    assert iaiflow("test", rule["id"]).out == f"{rule['id']}  sent\n"
    monkeypatch.delenv("SLACK")
    refused = iaiflow("test", rule["id"])
    assert refused.status == 1
    assert "The environment variable SLACK isn't set." in refused.err
    assert len(site.requests) == 1


@pytest.mark.parametrize("channels", [(), ("--slack", "env:S", "--email", "a@b.c")])
def test_one_channel_is_wanted(iaiflow, channels):
    refused = iaiflow("add", *channels)
    assert refused.status == 2
    assert "Give one of email, webhook and slack" in refused.err


def test_rules_in_python(workspace):
    lab = Lab(workspace)
    made = lab.notifications.add(slack="env:SLACK", on=["waiting", "completed"], group="5m")
    assert lab.notifications.ls() == [made]
    assert made.spec.group_s == 300.0
    assert lab.notifications.pause(made.id).paused
    assert not lab.notifications.resume(made.id).paused
    with pytest.raises(InputError, match="on = 'ended' is unknown"):
        lab.notifications.add(slack="env:SLACK", on=["ended"])
    with pytest.raises(InputError, match="There is no option 'mail'"):
        lab.notifications.add(mail="a@b.c")
    with pytest.raises(SendError, match="SLACK isn't set"):
        lab.notifications.test(made.id)
    lab.notifications.rm(made.id)
    assert lab.notifications.ls() == []
