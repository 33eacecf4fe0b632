"""Messages as they arrive: by mail, as signed webhooks, in Slack."""

from __future__ import annotations

import email
import email.policy
import json
import time

import msgspec
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from iaiflow_lab.model import event as ev
from iaiflow_lab.model.run import RunState
from iaiflow_lab.notify.channels import Post
from iaiflow_lab.notify.delivery import deliver, send_test
from iaiflow_lab.notify.message import compose
from iaiflow_lab.notify.problem import SendError
from iaiflow_lab.service import notifications, outbox
from iaiflow_lab.service.notifications import Channel, Told

SECRET = "whsec_YSBzZWNyZXQgb2YgdHdlbnR5LWZvdXIh"
OK = (200, {}, b"ok")


@pytest.fixture
def hook(desk, site):
    """Return a rule that calls the site, at the present time: signatures have an age."""
    desk.clock.wall = time.time()
    site.answers["/hook"] = OK
    return desk.rule(target=f"{site.origin}/hook", events=tuple(Told))


def test_a_webhook_is_signed_as_the_standard_says(desk, site, hook):
    run_id = desk.fail("No such file.")
    assert desk.send() == []
    ((method, _, headers, body),) = site.requests
    assert (method, headers["content-type"]) == ("POST", "application/json; charset=utf-8")
    data = Webhook(SECRET).verify(body, headers)
    assert data["type"] == "run.failed"
    item = data["data"]["items"][0]
    assert (item["run"], item["flow"], item["error"]["step"]) == (run_id, "f", "load")
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace(b"No such", b"One such"), headers)
    assert notifications.get(desk.session, hook).sent == 1


def test_a_second_try_has_the_same_id_and_a_fresh_signature(desk, site, hook):
    desk.fail()
    site.answers["/hook"] = (503, {"retry-after": "120"}, b"later \x1b[31mplease")
    (trouble,) = desk.send()
    assert "The server answered 503: later please." in trouble
    desk.clock.advance(119)
    assert desk.send() == []
    site.answers["/hook"] = OK
    desk.clock.advance(2)
    assert desk.send() == []
    first, second = (headers for _, _, headers, _ in site.requests)
    assert first["webhook-id"] == second["webhook-id"]
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 121
    assert desk.send() == []
    assert len(site.requests) == 2


@pytest.mark.parametrize("held", [None, "", "whsec_", "whsec_%%%é"])
def test_a_secret_that_is_missing_or_none_is_said_and_not_shown(desk, site, hook, held):
    desk.environment.clear()
    if held is not None:
        desk.environment["HOOK"] = held
    desk.fail()
    (trouble,) = desk.send()
    assert "HOOK isn't set" in trouble or "What HOOK holds is no secret" in trouble
    assert "%%%" not in trouble
    assert site.requests == []


def test_hosts_that_are_not_public_are_refused(make_desk, site):
    desk = make_desk()
    desk.rule(target=f"{site.origin}/hook")
    desk.fail()
    (trouble,) = desk.send()
    assert "is not on the public internet (127.0.0.1)" in trouble
    assert "[fetch] allow" in trouble
    assert site.requests == []


def test_a_redirect_is_not_taken_for_an_answer(desk, site, hook):
    site.answers["/hook"] = (302, {"location": "/login"}, b"")
    site.answers["/login"] = OK
    desk.fail()
    (trouble,) = desk.send()
    assert "redirects elsewhere" in trouble


def test_slack_gets_text_that_means_nothing_else(desk, site):
    site.answers["/services/T/B/token"] = OK
    desk.environment["SLACK"] = f"{site.origin}/services/T/B/token"
    desk.rule(Channel.SLACK, "env:SLACK")
    desk.fail("<!channel> *bold* <http://evil|good> & co")
    assert desk.send() == []
    body = json.loads(site.requests[0][3])
    assert "&lt;!channel&gt; *bold* &lt;http://evil|good&gt; &amp; co" in body["text"]
    assert body["mrkdwn"] is False


def test_an_address_that_is_a_secret_is_not_in_the_trouble(desk, site):
    desk.environment["SLACK"] = f"{site.origin}/services/T/B/token"
    rule_id = desk.rule(Channel.SLACK, "env:SLACK")
    desk.fail()
    for url in (
        desk.environment["SLACK"],
        "http://127.0.0.1:1/token",
        "ftp://x/token",
        "https://x:token",
    ):
        desk.environment["SLACK"] = url
        (trouble,) = desk.send()
        assert "token" not in trouble
        assert "token" not in notifications.get(desk.session, rule_id).error
        desk.clock.advance(4_000)


@pytest.fixture
def mail(make_desk, mailbox):
    """Return a desk that sends mail to the mailbox."""
    return make_desk(
        f'[smtp]\nhost = "127.0.0.1"\nport = {mailbox.start()}\ntls = "none"\n'
        'sender = "lab@example.org"\nuser = "lab"\npassword_env = "MAIL"\n'
    )


def test_an_email_says_what_happened_where_and_how_to_look(mail, mailbox):
    mail.environment["MAIL"] = "right"
    mail.rule(Channel.EMAIL, "anna@example.org")
    claim = mail.begin(flow="reports/überblick.ipynb")
    log = "reading\r\x1b[1Gread 10%\rread 100%\n\x1b[31mbad row 7\x1b[0m\x07\u202e\n"
    mail.append(claim, ev.StepLog(at=1.0, step="load", stream="stdout", text=log))
    error = ev.ErrorInfo("ValueError", "Row 7\r\nBcc: everyone@example.org", "load")
    run_id = mail.settle(claim, RunState.FAILED, error)
    assert mail.send() == []
    (envelope,) = mailbox.letters
    assert mailbox.logins == [(b"lab", b"right")]
    assert (envelope.mail_from, envelope.rcpt_tos) == ("lab@example.org", ["anna@example.org"])
    letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert letter["subject"] == "reports/überblick.ipynb failed in load"
    assert letter.get_content_type() == "text/plain"
    assert letter["bcc"] is None
    text = letter.get_content()
    assert "[ValueError] Row 7 Bcc: everyone@example.org" in text
    assert "  | read 100%\n  | bad row 7\n" in text.replace("\r\n", "\n")
    assert f"To look: iaiflow runs show {run_id}" in text


def test_what_a_mail_server_refuses_is_said(mail, mailbox):
    mail.environment["MAIL"] = "wrong"
    mail.rule(Channel.EMAIL, "anna@example.org")
    mail.fail()
    assert "refuses: 535" in mail.send()[0]
    mail.environment["MAIL"] = "right"
    mailbox.refusal = "451 later"
    mail.clock.advance(100)
    assert "refuses: 451 later." in mail.send()[0]
    mailbox.refusal = ""
    mail.clock.advance(100)
    assert mail.send() == []
    mail.rule(Channel.EMAIL, "nobody@example.org")
    mail.fail()
    assert "refuses nobody@example.org: 550 no such person." in mail.send()[0]


def test_a_mail_server_that_is_not_there_is_said(make_desk):
    desk = make_desk('[smtp]\nhost = "127.0.0.1"\nport = 1\nsender = "a@b.c"\n')
    desk.rule(Channel.EMAIL, "anna@example.org")
    desk.fail()
    assert "The mail server 127.0.0.1:1 can't be used" in desk.send()[0]


def test_a_message_about_waits_says_how_to_answer(make_desk):
    desk = make_desk('run_link = "https://lab.example.org/runs/{run}"\n')
    rule_id = desk.rule(events=(Told.WAITING,))
    approval = desk.approval("each[3]/ask")
    signal = desk.approval("wait", wait_kind="signal", name="paid; rm -rf /", message="")
    run_id = desk.wait(approval, signal).run_id
    message = compose(outbox.take(desk.session, rule_id), desk.session.store.settings.run_link)
    assert message.subject == "f waits for an answer"
    assert "each[3]/ask: Ship it?" in message.text
    assert f"iaiflow runs approve {run_id} 'each[3]/ask'" in message.text
    assert f"iaiflow runs signal {run_id} 'paid; rm -rf /'" in message.text
    assert f"https://lab.example.org/runs/{run_id}" in message.text
    assert [wait["kind"] for wait in message.data["items"][0]["waits"]] == ["approval", "signal"]


def test_a_group_lists_what_happened_and_counts_the_rest(desk, site, hook):
    late = desk.put(schedule_id="sch_1", due_at=desk.clock.now(), flow="night.ipynb")
    desk.clock.advance(1_000)
    rule_id = desk.rule(events=tuple(Told), group_s=60.0)
    for _ in range(30):
        desk.fail("x" * 100_000)
    outbox.note_late(desk.session)
    letter = outbox.take(desk.session, rule_id)
    message = compose(letter, "")
    assert message.subject.startswith("20 failed, and 11 more: f")
    assert "And 11 more; `iaiflow runs ls` lists them." in message.text
    assert len(message.text) < 100_000
    assert late not in message.text
    assert message.data["count"] == 31


def test_lateness_is_told_in_numbers(desk):
    rule_id = desk.rule(events=(Told.LATE,))
    desk.put(schedule_id="sch_1", due_at=desk.clock.now(), flow="night.ipynb")
    desk.clock.advance(390)
    outbox.note_late(desk.session)
    text = compose(outbox.take(desk.session, rule_id), "").text
    assert text.startswith("night.ipynb is late.\nIt was due at 20")
    assert "and had not begun 6m30s later (queued)." in text


def test_a_test_message_is_sent_at_once_and_not_noted(desk, site, hook):
    send_test(desk.session, hook, desk.post)
    body = Webhook(SECRET).verify(site.requests[0][3], site.requests[0][2])
    assert "This is a test" in body["data"]["items"][0]["error"]["message"]
    assert desk.told() == []
    with pytest.raises(SendError, match="HOOK isn't set"):
        send_test(desk.session, hook, Post(desk.session.store.settings, {}))


def test_a_message_that_cannot_be_made_is_given_up_in_the_end(desk, monkeypatch):
    desk.rule()
    desk.fail()

    def broken(*_):
        raise ZeroDivisionError("never")

    monkeypatch.setattr("iaiflow_lab.notify.delivery.compose", broken)
    for _ in range(outbox.MOST_ATTEMPTS):
        (trouble,) = desk.send()
        assert "ZeroDivisionError" in trouble
        desk.clock.advance(5_000)
    assert "given up" in trouble
    assert outbox.due_rules(desk.session) == []


@pytest.mark.parametrize("point", ["notify.after_take", "notify.after_send"])
def test_a_sender_that_dies_sends_again_under_the_same_id(desk, site, hook, crash, point):
    desk.fail()
    desk.session.world.faults.armed = point
    with pytest.raises(crash):
        deliver(desk.session, hook, desk.post)
    assert desk.send() == []
    desk.clock.advance(outbox.LEASE_S + 1)
    assert desk.send() == []
    ids = [headers["webhook-id"] for _, _, headers, _ in site.requests]
    assert len(ids) == (2 if point == "notify.after_send" else 1)
    assert len(set(ids)) == 1
    assert notifications.get(desk.session, hook).sent == 1


def test_no_secret_of_the_environment_leaves_in_a_message(desk, site, hook):
    desk.environment |= {"DB_PASSWORD": "hunter2-hunter2", "PLACE": "/data/anna"}
    claim = desk.begin()
    log = ev.StepLog(at=1.0, step="load", stream="stdout", text="x" * 290 + " hunter2-")
    more = msgspec.structs.replace(
        log, text="hunter2\nin /data/anna\n\x1b[1mhunter2\x1b[0m-hunter2"
    )
    start = ev.StepStarted(at=1.0, step="load", node="load", type="t")
    desk.append(claim, start, log, more)
    error = ev.ErrorInfo("boom", f"connect('hunter2-hunter2', {SECRET!r})", "load")
    desk.settle(claim, RunState.FAILED, error)
    assert desk.send() == []
    sent = site.requests[0][3].decode()
    assert "hunter2" not in sent
    assert SECRET not in sent
    assert "[secret]" in sent
    assert "/data/anna" in sent
