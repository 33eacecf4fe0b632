"""What axe-core finds on a page, and the look in which it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from browser.patience import LOOK_EVERY, promised
from playwright.sync_api import Page, expect

AXE = Path(__file__).parents[2] / "extension" / "node_modules" / "axe-core" / "axe.min.js"
DARK = "JupyterLab Dark"
#: Other looks change colours and nothing else.
RULES = {"light": (), "dark": ("color-contrast",), "forced": ("color-contrast",)}


def dark(page: Page) -> None:
    """Change to the dark theme, once the picture that is shown at the start has gone by itself."""
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)
    page.evaluate(
        f"() => void jupyterapp.commands.execute('apputils:change-theme', {{theme: '{DARK}'}})"
    )
    page.wait_for_function(
        f"() => document.body.dataset.jpThemeName === '{DARK}'", polling=LOOK_EVERY
    )
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)


def violations(page: Page, scope: str = "body", *rules: str) -> list[str]:
    """Return what axe-core calls serious or critical, by some rules or all."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = rules
    found = promised(page, "([scope, options]) => axe.run(scope, options)", [scope, options])
    return [
        f"{one['id']} {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
