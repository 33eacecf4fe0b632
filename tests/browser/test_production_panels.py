"""The panel of runs and schedules: answers, notices, edits, languages, and for whom it is drawn."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from browser.axe import RULES, dark, violations
from browser.conftest import Jupyter
from browser.patience import PATIENCE
from browser.production_page import (
    ASK,
    SCHEDULE,
    ProductionPage,
    awaiting,
    call,
    write_flow,
    write_parameters,
)
from playwright.sync_api import Locator, Page, expect

WORDS = Path(__file__).parents[2] / "extension" / "src" / "core" / "locale" / "vi.json"


@pytest.fixture(scope="module")
def lab(start_jupyter: Callable[..., Jupyter]) -> Jupyter:
    """Return a server with a workspace that no other test empties."""
    return start_jupyter()


def start(lab: Jupyter, target: str, **options: Any) -> str:
    """Queue a run; returns its id."""
    return call(lab, "runs", {"target": target, "options": options})["id"]


def test_waiting_and_late_runs_are_told_and_answered(page: Page, lab: Jupyter) -> None:
    write_flow(lab.root, "ask", ASK)
    write_flow(lab.root, "slow", awaiting(lab.root / "go"))
    production = ProductionPage(page, lab).open()
    production.show("runs")
    expect(production.panel).to_contain_text("No runs yet")
    run, runs = production.run, production.runs

    # told without being in the way, those that fare alike together
    start(lab, "ask.flow.json")
    waits = production.notices.filter(has_text="ask.flow.json")
    expect(waits).to_contain_text("ask.flow.json waits: ask: Print it?")
    start(lab, "ask.flow.json")
    expect(waits).to_contain_text("2 runs wait for an answer, ask.flow.json the last")
    due = datetime.now(UTC) - timedelta(minutes=5)
    late = start(lab, "slow.flow.json", run_at=due.isoformat())
    expect(production.notices.filter(has_text="slow.flow.json started late.")).to_be_visible()
    expect(production.notices).to_have_count(2)
    expect(production.dialog).to_have_count(0)
    (lab.root / "go").touch()

    # one is approved, with the form that its schema describes
    waits.get_by_role("button", name="Show").click()
    approve(production)
    # the other is refused
    run.get_by_role("button", name="All runs").click()
    production.panel.get_by_role("combobox", name="State").select_option("Waiting")
    expect(runs).to_have_count(1)
    runs.first.get_by_role("button").click()
    run.get_by_role("button", name="Refuse").click()
    production.expect_run("Completed")
    expect(run.get_by_role("listitem").filter(has_text="kept")).to_contain_text("Completed")

    run.get_by_role("button", name="All runs").click()
    production.panel.get_by_role("combobox", name="State").select_option("Completed")
    expect(runs).to_have_count(3)
    assert call(lab, f"runs/{late}")["state"] == "completed"

    # the next page tells of runs too, before anybody looks at them
    with page.expect_response("**/iaiflow/api/v1/events*"):
        production.open()
    expect(production.panel).to_be_hidden()
    start(lab, "ask.flow.json")
    expect(waits).to_contain_text("ask.flow.json waits: ask: Print it?")


def approve(production: ProductionPage) -> None:
    """Answer the run that is shown, at last as its form wants it."""
    run = production.run
    asked = run.get_by_role("region", name="Waiting")
    expect(asked).to_contain_text("Print it?")
    asked.get_by_role("button", name="Approve").click()
    expect(asked.get_by_role("alert")).to_have_text("Still needed: Copies")
    asked.get_by_label("Copies").fill("0")
    asked.get_by_role("button", name="Approve").click()
    expect(asked.get_by_role("alert")).to_contain_text("must be at least 1")
    asked.get_by_label("Copies").fill("2")
    asked.get_by_label("Reason").fill("Looks right.")
    asked.get_by_role("button", name="Approve").click()
    expect(asked).to_have_count(0)
    production.expect_run("Completed")
    step = run.get_by_role("listitem")
    expect(step.filter(has_text="printed")).to_contain_text("Completed")
    expect(step.filter(has_text="kept")).to_contain_text("Skipped")


def test_a_schedule_is_followed_and_edited(page: Page, lab: Jupyter) -> None:
    write_flow(lab.root, "tick", awaiting(lab.root / "tock"))
    production = ProductionPage(page, lab).open("tick.flow.json")
    line, dialog = production.schedule("tick"), production.dialog

    # moments come while an earlier run goes on: they are left out, and listed
    production.ask(SCHEDULE)
    dialog.get_by_role("combobox", name="When", exact=True).select_option("Every so often")
    dialog.get_by_label("Interval, such as 15m or 2h").fill("1s")
    expect(production.times).to_have_count(10)
    expect(dialog).to_contain_text(re.compile(r"Fired by JupyterLab .* until JupyterLab is closed"))
    production.accept("Save")
    expect(production.panel).to_contain_text("until JupyterLab is closed")
    line.get_by_role("button", name=re.compile("^tick")).click()
    expect(line.get_by_role("heading", name="Missed times")).to_be_visible()
    expect(line).to_contain_text("was still")
    line.get_by_role("button", name="Pause").click()
    expect(line).to_contain_text("Paused")
    (lab.root / "tock").touch()

    line.get_by_role("button", name="Edit").click()
    edit(production)
    (saved,) = [one for one in call(lab, "schedules")["schedules"] if one["name"] == "tick"]
    assert saved["rule"]["kind"] == "interval"
    production.accept("Save")
    expect(line).to_contain_text("At 07:15 every day")
    expect(line).to_contain_text("Paused")

    line.get_by_role("button", name="Resume").click()
    expect(line).to_contain_text("Active")
    expect(line.get_by_role("list", name="Next times").get_by_role("listitem")).to_have_count(10)
    line.get_by_role("button", name="Run now").click()
    production.expect_run("Completed")


def edit(production: ProductionPage) -> None:
    """Give a schedule another rule: what it is stands there, and what it would be if saved."""
    dialog, times = production.dialog, production.times
    expect(dialog.get_by_label("Name of the schedule")).to_have_value("tick")
    expect(dialog.get_by_role("combobox", name="When", exact=True)).to_have_value("every")
    expect(dialog.get_by_label("Interval, such as 15m or 2h")).to_have_value("1s")
    dialog.get_by_role("combobox", name="When", exact=True).select_option("At times of day (cron)")
    cron = dialog.get_by_label("Minute, hour, day, month, weekday")
    cron.fill("30 5 * * *")
    expect(times.first).to_contain_text("05:30")
    cron.fill("99 7 * * *")
    expect(dialog.get_by_role("alert").filter(has_text="99").first).to_be_visible()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert").filter(has_text="99")).to_have_count(2)
    cron.fill("15 7 * * *")
    expect(times.first).to_contain_text("07:15")


def furnish(lab: Jupyter) -> dict[str, str]:
    """Have a run that failed, one that waits, and a schedule; returns the runs by their names."""
    write_parameters(lab.root / "halves.ipynb", "parts: int = 0", "print('on')\nprint(1 / parts)")
    write_flow(lab.root, "ask", ASK)
    broken = {"type": "python", "config": {"code": "def main():\n    print('on')\n    1 / 0\n"}}
    write_flow(lab.root, "broken", {"nodes": {"broken": broken}})
    if not any(one["name"] == "nightly" for one in call(lab, "schedules")["schedules"]):
        rule = {"cron": "0 6 * * 1-5", "zone": "Asia/Ho_Chi_Minh"}
        call(lab, "schedules", {"target": "halves.ipynb", "name": "nightly", "when": rule})
    return {name: start(lab, f"{name}.flow.json") for name in ("ask", "broken")}


def reach(production: ProductionPage, look: Callable[[str, Locator], None]) -> None:
    """Look at every part of the panel and at the dialogs."""
    page, panel = production.page, production.panel
    made = furnish(production.lab)

    def listed(name: str) -> Locator:
        return panel.locator(f"[data-run={made[name]}]")

    def chosen(name: str) -> None:
        production.show("runs")
        listed(name).click()

    production.show("runs")
    for name, state in (("ask", "waiting"), ("broken", "failed")):
        listed(name).locator(f"[data-state={state}]").wait_for()
    look("runs", panel)
    chosen("ask")
    page.get_by_text(made["ask"]).wait_for()
    panel.locator(".iai-Run-wait").wait_for()
    look("waiting", panel)
    panel.locator(".iai-Run button").first.click()
    chosen("broken")
    panel.locator(".iai-Run-error").wait_for()
    panel.locator(".iai-Run-log").wait_for()
    look("failed", panel)
    production.show("schedules")
    panel.get_by_role("button", name="nightly").click()
    expect(panel.locator(".iai-Moments li")).to_have_count(10)
    look("schedules", panel)
    for name, command in (("queue", "iaiflow:queue"), ("schedule", "iaiflow:schedule")):
        page.evaluate(
            "([id, path]) => void window.jupyterapp.commands.execute(id, {path})",
            [command, "halves.ipynb"],
        )
        production.dialog.locator(".iai-ConfigForm").wait_for()
        production.dialog.locator("summary").click()
        if name == "schedule":
            expect(production.dialog.locator(".iai-Moments li")).to_have_count(10)
        look(f"{name}-dialog", production.dialog)
        page.keyboard.press("Escape")
        expect(production.dialog).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_serious_in_runs_and_schedules(
    page: Page, lab: Jupyter, picture: Callable[[str], None], theme: str
) -> None:
    page.emulate_media(reduced_motion="reduce")
    production = ProductionPage(page, lab).open()
    if theme == "dark":
        dark(page)
    found: dict[str, list[str]] = {}

    def look(name: str, _: Locator) -> None:
        scope = ".iai-Dialog" if name.endswith("dialog") else ".iai-Panel"
        found[name] = violations(page, scope, *RULES[theme])
        for width, height in ((1000, 700), (1440, 900)):
            page.set_viewport_size({"width": width, "height": height})
            picture(f"production-{name}-{theme}-{width}")

    reach(production, look)
    assert {name: serious for name, serious in found.items() if serious} == {}


#: The texts and names in an element that a person reads or hears, but not what people wrote.
SAID = """element => {
    const said = [];
    const walk = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) { said.push(walk.currentNode.textContent.trim()); }
    for (const each of element.querySelectorAll(':not(.jp-Dialog-close-button)')) {
        said.push(...['aria-label', 'placeholder', 'title'].map(name => each.getAttribute(name)));
    }
    return said.filter(Boolean);
}"""


def test_the_panel_and_the_dialogs_speak_vietnamese(
    page: Page, lab: Jupyter, picture: Callable[[str], None]
) -> None:
    words = json.loads(WORDS.read_text())
    english = {key for key, word in words.items() if word != key and "{" not in key}
    heard: set[str] = set()
    left: dict[str, set[str]] = {}

    def answered(route: Any) -> None:  # as somebody sees it who has chosen the language
        answer = route.fetch(timeout=PATIENCE)
        settings = answer.json()
        for one in settings.get("settings", [settings]):
            if one["id"] == "@jupyterlab/translation-extension:plugin":
                one["raw"] = json.dumps({"locale": "vi_VN"})
                one["settings"] = {"locale": "vi_VN"}
        route.fulfill(response=answer, json=settings)

    def look(name: str, part: Locator) -> None:
        said = set(part.evaluate(SAID))
        heard.update(said)
        left[name] = said & english
        picture(f"production-{name}-vi")

    page.route("**/lab/api/settings**", answered)
    production = ProductionPage(page, lab).open()
    production.panel = page.get_by_role("region", name=words["Runs and schedules"])
    reach(production, look)
    assert {name: said for name, said in left.items() if said} == {}
    assert {words["All states"], words["Missed times, overlap and queue"]} <= heard
