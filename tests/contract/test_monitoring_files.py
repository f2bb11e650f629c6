"""The dashboard, the alerts and the example for Prometheus: they name only what the service tells."""

from __future__ import annotations

import json
import re
import shutil
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.tables import ROOT
from scheduler.metrics.families import COUNTED, LOOKED_UP
from scheduler.models import Priority
from scheduler.run import RunStatus
from tests.promtool import promtool

DASHBOARD = ROOT / "deploy/grafana/dashboard.json"
PROMETHEUS = ROOT / "deploy/prometheus"
ADDED = {"job", "instance"}
"""What Prometheus itself adds to every series."""
LABELS: dict[str, set[str]] = {"up": ADDED}
for family in (*COUNTED, *LOOKED_UP):
    kinds = ("_bucket", "_sum", "_count") if family.kind == "histogram" else ("",)
    LABELS |= {
        family.sample_name + kind: ADDED | set(family.labels) | ({"le"} if kind == "_bucket" else set())
        for kind in kinds
    }
for process in ("cpu_seconds_total", "resident_memory_bytes", "start_time_seconds", "virtual_memory_bytes"):
    LABELS[f"process_{process}"] = ADDED
VALUES = {"status": {*RunStatus}, "priority": {*Priority}}

_SERIES = re.compile(r"\b((?:task_scheduler|process)_\w+|up)\b(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"')


def panels() -> list[dict[str, Any]]:
    return list(json.loads(DASHBOARD.read_text())["panels"])


def shown() -> list[tuple[str, str]]:
    """Return the expressions of the dashboard, each with its legend."""
    return [(target["expr"], target["legendFormat"]) for panel in panels() for target in panel.get("targets", ())]


def rules() -> list[dict[str, Any]]:
    [group] = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"]
    return list(group["rules"])


EXPRESSIONS = [*shown(), *((rule["expr"], " ".join(rule["annotations"].values())) for rule in rules())]


@pytest.mark.parametrize(("expression", "told"), EXPRESSIONS, ids=lambda text: re.sub(r"\s+", " ", text)[:60])
def test_expressions_name_metrics_and_labels_that_exist(expression: str, told: str) -> None:
    found = _SERIES.findall(expression)
    assert found, "it asks for nothing"
    for name, matchers in found:
        assert name in LABELS, f"there is no metric {name}"
        for label, value in _MATCHER.findall(matchers):
            assert label in LABELS[name], f"{name} has no label {label}"
            assert set(value.split("|")) <= VALUES.get(label, set(value.split("|"))), f"{label} is never {value}"
    known = set.intersection(*(LABELS[name] for name, _ in found))
    used = {label.strip() for group in re.findall(r"\bby \(([^)]*)\)", expression) for label in group.split(",")}
    grouped = used - {"le"} or known
    assert used <= known
    assert set(re.findall(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}", told)) <= grouped, (
        "the text names a label that is gone"
    )


@pytest.mark.parametrize(("expression", "_told"), EXPRESSIONS, ids=lambda text: re.sub(r"\s+", " ", text)[:60])
def test_counters_are_looked_at_by_their_growth(expression: str, _told: str) -> None:
    for found in re.finditer(r"\b(task_scheduler_\w+_(?:total|bucket|sum|count))\b", expression):
        assert re.search(r"(rate|increase)\($", expression[: found.start()]), f"{found[1]} only ever grows"
    assert not re.search(r"(rate|increase)\((?!\w+_(total|bucket|sum|count)\b)", expression)


def test_every_metric_has_its_place_on_the_dashboard() -> None:
    text = " ".join(expression for expression, _ in shown())
    for family in (*COUNTED, *LOOKED_UP):
        wanted = family.sample_name + ("_bucket" if family.kind == "histogram" else "")
        if family.name not in ("task_runs", "lease_held_here"):  # off by default; for servers on several machines
            assert re.search(rf"\b{wanted}\b", text), wanted


def test_the_dashboard_is_laid_out() -> None:
    board = json.loads(DASHBOARD.read_text())
    assert board["schemaVersion"] >= 36
    assert {variable["name"] for variable in board["templating"]["list"]} == {"datasource", "job"}
    assert len({panel["id"] for panel in panels()}) == len(panels())
    places = [panel["gridPos"] for panel in panels()]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    assert not [(one, other) for one, other in combinations(places, 2) if overlap(one, other)]
    for panel in panels():
        assert panel["title"]
        assert panel["type"] in ("row", "stat", "timeseries", "table")
        assert [target["refId"] for target in panel.get("targets", ())] == list("AB")[: len(panel.get("targets", ()))]


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


def test_alerts_say_what_it_means_and_what_to_do() -> None:
    assert len({rule["alert"] for rule in rules()}) == len(rules())
    for rule in rules():
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert set(rule["annotations"]) == {"summary", "description"}


# --- by Prometheus' own tool, where it is there -------------------------------------------------


def test_prometheus_takes_the_alerts() -> None:
    promtool("check", "rules", str(PROMETHEUS / "alerts.yml"))


def test_prometheus_takes_the_example(tmp_path: Path) -> None:
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    [scrape] = config["scrape_configs"]
    (tmp_path / "token").write_text("secret")
    scrape["authorization"]["credentials_file"] = str(tmp_path / "token")
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    shutil.copy(PROMETHEUS / "alerts.yml", tmp_path)
    promtool("check", "config", str(tmp_path / "prometheus.yml"))


def test_prometheus_takes_the_expressions_of_the_dashboard(tmp_path: Path) -> None:
    texts = [expression.replace("$__rate_interval", "1m").replace("$job", "x") for expression, _ in shown()]
    made = [{"record": f"expression:{number}", "expr": text} for number, text in enumerate(texts)]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": made}]}))
    promtool("check", "rules", str(tmp_path / "rules.yml"))
