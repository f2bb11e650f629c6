"""Make the tables of the pages from the code: settings, actions, fields, errors, phrases, metrics, files, floors.

A table stands between `<!-- made: NAME -->` and `<!-- end -->`; `python -m docs` writes it anew.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from scheduler.auth.scopes import MEANING
from scheduler.cli import COMMANDS
from scheduler.config import PREFIX, SchedulerConfig
from scheduler.http.actions import ACTIONS
from scheduler.http.guide import CODES
from scheduler.metrics.families import COUNTED, LOOKED_UP
from scheduler.phrases.forms import FORMS
from tests.contract.test_layers import FLOORS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FORMS_SHOWN = (
    *("interval", "daily at", "weekdays", "nth weekday", "day of the month", "window"),
    *("delay (once)", "day (once)", "instant (once)", "cron", "time zone"),
)
# What no single field's schema tells.
_NEEDED_TOGETHER = {
    "Create": "`interval`; `command`, `file_path`, `custom_script` or `func`",
    "Preview": "`interval`",
    "Cancel": "`run_id` or `task_id`",
}
_MADE = re.compile(r"(<!-- made: ([\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def with_tables(text: str) -> str:
    """Return a page with its tables made anew."""
    return _MADE.sub(lambda found: f"{found[1]}{make(found[2])}{found[3]}", text)


def make(name: str) -> str:
    """Return the table of that name; KeyError where there is none."""
    kind, _, argument = name.partition(" ")
    return MAKERS[kind](argument)


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def settings(_argument: str) -> str:
    """Return every setting with its default and meaning."""
    rows = [(f"`{PREFIX}{name.upper()}`", *_setting(field)) for name, field in SchedulerConfig.model_fields.items()]
    return table(("variable", "default", "meaning"), rows)


def _setting(field: FieldInfo) -> tuple[str, str]:
    meaning, _, told = (field.description or "").partition(" Default: ")
    if told:
        return told.rstrip("."), meaning
    default = field.default
    if default in (None, (), False):
        return ("off" if default is False else "none"), meaning
    assert not isinstance(default, SecretStr)
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`", meaning


def actions(prefix: str) -> str:
    """Return every action with the fields that it needs and what it does; `prefix` names the page that tells more."""
    page = "docs/actions.md" if prefix == "readme" else ""
    rows = [
        (f"[`{name}`]({page}#{name})", _needs(action.model.model_json_schema()), action.summary)
        for name, action in ACTIONS.items()
    ]
    return table(("action", "needs", "what it does"), rows)


def _needs(schema: Mapping[str, Any]) -> str:
    needed = ", ".join(f"`{name}`" for name in schema.get("required", []) if name != "action")
    return ", ".join(part for part in (needed, _NEEDED_TOGETHER.get(schema["title"], "")) if part)


def fields(action: str) -> str:
    """Return the fields that an action takes."""
    schema = ACTIONS[action].model.model_json_schema()
    required = set(schema.get("required", []))
    rows = [
        (
            f"`{name}`",
            _type(field, schema),
            "required" if name in required else _default(field),
            field.get("description", ""),
        )
        for name, field in schema["properties"].items()
        if name != "action"
    ]
    return table(("field", "type", "default", "meaning"), rows)


def _default(field: Mapping[str, Any]) -> str:
    default = field.get("default")
    if default in (None, [], {}) and default is not False:
        return ""
    return f"`{str(default).lower()}`" if isinstance(default, bool) else f"`{default}`"


def _type(field: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    if "$ref" in field:
        return _type(schema["$defs"][field["$ref"].rsplit("/", 1)[-1]], schema)
    if "anyOf" in field:
        kinds = [_type(kind, schema) for kind in field["anyOf"] if kind.get("type") != "null"]
        return " or ".join(kinds)
    if "enum" in field:
        return " | ".join(f"`{word}`" for word in field["enum"])
    kind = field.get("type")
    if kind == "array":
        return f"list of {_type(field['items'], schema)}s"
    if kind == "object":
        return "object"
    if not field:
        return "any value"
    names = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
    return names.get(str(kind), "any form of schedule") + _range(field)


def _range(field: Mapping[str, Any]) -> str:
    low, high = field.get("minimum", field.get("exclusiveMinimum")), field.get("maximum")
    if low is None:
        return ""
    above = "above " if "exclusiveMinimum" in field else ""
    return f", {above}{low:,g} to {high:,.0f}" if high is not None else f", {above}{low:,g} or more"


def errors(_argument: str) -> str:
    """Return every error code with its HTTP number and meaning."""
    rows = [(f"`{code}`", *text.split(": ", 1)) for code, text in CODES.items()]
    return table(("code", "HTTP", "meaning"), rows)


def scopes(_argument: str) -> str:
    """Return every scope with what it allows and the actions that ask for it."""
    rows = [
        (f"`{scope}`", meaning, ", ".join(f"`{name}`" for name, action in ACTIONS.items() if action.scope is scope))
        for scope, meaning in MEANING.items()
    ]
    return table(("scope", "allows to", "actions"), rows)


def commands(_argument: str) -> str:
    """Return every command of the shell with what it does."""
    return table(("command", "what it does"), [(f"`{name}`", home.summary) for name, home in COMMANDS.items()])


def phrases(_argument: str) -> str:
    """Return the forms that are used most."""
    forms = {form.name: form for form in FORMS}
    shown = [forms[name] for name in FORMS_SHOWN]
    rows = [(form.name, ", ".join(f"`{phrase}`" for phrase in form.accepted[:3]), form.meaning) for form in shown]
    return table(("form", "examples", "meaning"), rows)


def metrics(_argument: str) -> str:
    """Return every metric with its labels and meaning."""
    rows = [
        (f"`{family.sample_name}`", family.kind, ", ".join(f"`{label}`" for label in family.labels), family.help)
        for family in (*COUNTED, *LOOKED_UP)
    ]
    return table(("metric", "kind", "labels", "meaning"), rows)


def tree(_argument: str) -> str:
    """Return the files of the service, each with the first line of its docstring."""
    lines = [_file(ROOT / "server.py", 0)]
    for package in ("scheduler", "tasks"):
        lines += _folder(ROOT / package, 0)
    return "```text\n" + "".join(f"{line}\n" for line in lines) + "```\n"


def _folder(folder: Path, depth: int) -> list[str]:
    files = sorted(folder.glob("*.py"), key=lambda path: (path.name != "__init__.py", path.name))
    inner = sorted(path.parent for path in folder.glob("*/*.py"))
    lines = ["  " * depth + folder.name + "/", *(_file(path, depth + 1) for path in files if path.read_text())]
    for place in dict.fromkeys(inner):
        lines += _folder(place, depth + 1)
    return lines


def _file(path: Path, depth: int) -> str:
    says = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]
    return f"{'  ' * depth + path.name:28} {says}".rstrip()


def floors(_argument: str) -> str:
    """Return the floors of the scheduler's modules, the lowest last."""
    lines = [f"  {' '.join(names)}\n" for names in reversed(FLOORS)]
    return "```text\n" + "".join(lines) + "```\n"


MAKERS = {
    "settings": settings,
    "actions": actions,
    "fields": fields,
    "commands": commands,
    "errors": errors,
    "scopes": scopes,
    "phrases": phrases,
    "metrics": metrics,
    "tree": tree,
    "floors": floors,
}
