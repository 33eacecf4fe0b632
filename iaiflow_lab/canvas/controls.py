"""One control for each parameter, from its JSON Schema."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportMissingTypeStubs=false
# pyright: reportUnknownParameterType=false, reportUnknownArgumentType=false
# ipywidgets has no types of its own
from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, cast

import ipywidgets

from iaiflow_lab.errors import InputError
from iaiflow_lab.interactive.kernel import notebook_folder
from iaiflow_lab.model import parameters
from iaiflow_lab.model.json_value import find_fault, unique_object

#: A slider over more steps than this can't be set to one of them by hand.
_MOST_STEPS: Final = 10_000
#: Files that are suggested for a path.
_MOST_FILES: Final = 200
#: Defaults longer than this, in characters, are edited in several lines.
_LINE: Final = 80

Spec = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Control:
    """What a person sets a parameter with."""

    #: The ipywidget.
    widget: Any
    #: Turns the widget's value into the parameter's; raises `InputError`.
    read: Callable[[Any], Any]

    def value(self) -> Any:
        """Return the parameter's value.

        Raises:
            InputError: What was typed can't be read.
        """
        return self.read(self.widget.value)


def control(name: str, spec: Spec) -> Control | None:
    """Return the control of a parameter; None for live values, such as tables.

    Args:
        name: The parameter's name.
        spec: Its JSON Schema; `default`, `minimum`, `maximum`, `multipleOf`, `enum`, `format`,
            `title` and `description` are taken up.
    """
    if parameters.is_live(spec) and isinstance(spec["type"], str):
        return None
    made = _made(name, spec)
    title = spec.get("title")
    made.widget.description = title if isinstance(title, str) else name
    made.widget.style.description_width = "10em"
    made.widget.layout.width = "36em"
    if isinstance(help_ := spec.get("description"), str):
        made.widget.tooltip = help_
    return made


def _made(name: str, spec: Spec) -> Control:
    default = spec.get("default")
    kind = spec.get("type")
    if isinstance(spec.get("enum"), list) and spec["enum"]:
        return _choice(spec)
    if kind == "boolean" and not (default is not None and not isinstance(default, bool)):
        return Control(ipywidgets.Checkbox(value=bool(default), indent=True), _same)
    if kind in ("integer", "number") and _is_number_or_none(default):
        return _number(spec, whole=kind == "integer")
    if kind == "file" and isinstance(default, str | None):
        return Control(ipywidgets.Combobox(value=default or "", options=_files()), _same)
    if kind in ("string", "text") and isinstance(default, str | None):
        return _text(name, spec, default or "")
    if kind == "array" and (found := _list(spec)):
        return found
    return _json(name, spec)


def _choice(spec: Spec) -> Control:
    choices = [(str(value), position) for position, value in enumerate(spec["enum"])]
    default = spec.get("default")
    is_same = [type(v) is type(default) and v == default for v in spec["enum"]]
    chosen = is_same.index(True) if True in is_same else 0
    return Control(
        ipywidgets.Dropdown(options=choices, value=chosen), lambda at: spec["enum"][int(at)]
    )


def _number(spec: Spec, *, whole: bool) -> Control:
    """Return a slider between two bounds, else a field."""
    low, high = _bound(spec, "minimum", 1, whole=whole), _bound(spec, "maximum", -1, whole=whole)
    step = spec.get("multipleOf") or (1 if whole else None)
    value = spec.get("default", low if low is not None else min(0, high or 0))
    value = int(value) if whole else float(value)
    if low is None or high is None or low >= high:
        kind = ipywidgets.IntText if whole else ipywidgets.FloatText
        return Control(kind(value=value), _same)
    value = min(max(value, low), high)
    step = step or (high - low) / 100
    if (high - low) / step > _MOST_STEPS:
        bounded = ipywidgets.BoundedIntText if whole else ipywidgets.BoundedFloatText
        return Control(bounded(value=value, min=low, max=high, step=step), _same)
    if whole:
        return Control(ipywidgets.IntSlider(value=value, min=low, max=high, step=step), _same)
    shown = f".{max(0, min(9, 1 - math.floor(math.log10(step))))}f"
    slider = ipywidgets.FloatSlider(value=value, min=low, max=high, step=step, readout_format=shown)
    return Control(slider, _same)


def _bound(spec: Spec, key: str, inward: int, *, whole: bool) -> Any:
    """Return a bound that the value may have; None when there is none."""
    found: Any = spec.get(key)
    beyond: Any = spec.get("exclusive" + key.capitalize())
    if _is_number(found):
        return int(math.ceil(found) if inward > 0 else math.floor(found)) if whole else found
    if whole and _is_number(beyond):
        return int(math.floor(beyond) + 1 if inward > 0 else math.ceil(beyond) - 1)
    return None


def _text(name: str, spec: Spec, default: str) -> Control:
    if spec.get("format") == "date":
        return _date(name, default)
    if spec.get("writeOnly") is True or spec.get("format") == "password":
        return Control(ipywidgets.Password(value=default), _same)
    if "\n" in default or len(default) > _LINE or spec.get("x-widget") in ("text", "template"):
        return Control(ipywidgets.Textarea(value=default, rows=6), _same)
    return Control(ipywidgets.Text(value=default), _same)


def _date(name: str, default: str) -> Control:
    try:
        value = dt.date.fromisoformat(default) if default else None
    except ValueError:
        value = None

    def read(chosen: dt.date | None) -> str:
        if chosen is None:
            raise InputError(f"Parameter {name!r} has no date.", where=f"parameters.{name}")
        return chosen.isoformat()

    return Control(ipywidgets.DatePicker(value=value), read)


def _list(spec: Spec) -> Control | None:
    """Return the control of a list of texts or numbers; None for other lists."""
    items = spec.get("items")
    if not isinstance(items, Mapping):
        return None
    default = spec.get("default", [])
    of = cast("Spec", items)
    choices = of.get("enum")
    if not isinstance(default, list):
        return None
    if isinstance(choices, list) and all(isinstance(one, str) for one in choices):
        chosen = [one for one in default if one in choices]
        made = ipywidgets.SelectMultiple(options=choices, value=chosen, rows=min(8, len(choices)))
        return Control(made, list)
    kinds: dict[Any, tuple[Any, Any]] = {
        "string": (ipywidgets.TagsInput, str),
        "integer": (ipywidgets.IntsInput, int),
        "number": (ipywidgets.FloatsInput, float),
    }
    if of.get("type") not in kinds:
        return None
    kind, plain = kinds[of["type"]]
    if not all(_is_number(one) if plain is not str else isinstance(one, str) for one in default):
        return None
    made = kind(value=[plain(one) for one in default], allow_duplicates=True)
    return Control(made, list)


def _json(name: str, spec: Spec) -> Control:
    """Return a field for JSON text."""
    text = json.dumps(spec["default"], ensure_ascii=False, indent=2) if "default" in spec else ""

    def read(typed: str) -> Any:
        if not typed.strip():
            raise InputError(f"Parameter {name!r} has no value.", where=f"parameters.{name}")
        try:
            value = json.loads(typed, object_pairs_hook=unique_object)
        except (ValueError, RecursionError) as error:
            raise _no_json(name, f"{error}.") from None
        if fault := find_fault(value):
            raise _no_json(name, fault.message)
        return value

    made = ipywidgets.Textarea(value=text, rows=min(12, text.count("\n") + 3), placeholder="JSON")
    return Control(made, read)


def _no_json(name: str, reason: str) -> InputError:
    return InputError(f"Parameter {name!r} is no JSON: {reason}", where=f"parameters.{name}")


def _files() -> list[str]:
    """Return files beside the notebook and one folder below."""
    folder = notebook_folder()
    found = (path for pattern in ("*", "*/*") for path in sorted(folder.glob(pattern)))
    shown = (
        path.relative_to(folder).as_posix()
        for path in found
        if path.is_file() and not path.relative_to(folder).as_posix().startswith(".")
    )
    return list(islice(shown, _MOST_FILES))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_number_or_none(value: Any) -> bool:
    return value is None or _is_number(value)


def _same(value: Any) -> Any:
    return value
