"""Where the files that operators get stand, and what is in them."""

import json
import os
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("RXTRAIL_BINARY", "")
PROMETHEUS = ROOT / "deploy/prometheus"
ALERTMANAGER = ROOT / "deploy/alertmanager/alertmanager.yml"
RUNBOOKS = ROOT / "docs/runbooks"
GRAFANA = ROOT / "dashboards/grafana"
COMPOSE = ROOT / "deploy/compose"
DOCKERFILE = ROOT / "deploy/docker/Dockerfile"
UNIT = ROOT / "deploy/systemd/rxtrail.service"
# Pages whose commands are checked against the binary.
PAGES = [ROOT / "deploy/README.md", *sorted(RUNBOOKS.glob("*.md"))]


def run(*command, **options):
    """Runs a program to its end; output and errors as text in `.stdout`, together."""
    return subprocess.run(
        [str(part) for part in command],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False, **options,
    )


def load_yaml(path):
    """A YAML file."""
    return yaml.safe_load(path.read_text())


def rules(folder=PROMETHEUS / "rules"):
    """Every rule as (file name, rule)."""
    files = sorted(folder.glob("*.yml"))
    return [(path.name, rule) for path in files for group in load_yaml(path)["groups"] for rule in group["rules"]]


def alerts(folder=PROMETHEUS / "rules"):
    """Every alert by its name."""
    return {rule["alert"]: rule for _, rule in rules(folder) if "alert" in rule}


def dashboards(folder=GRAFANA / "rxtrail"):
    """Every dashboard by its uid."""
    boards = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    return {board["uid"]: board for board in boards}


def targets(board, kind):
    """The queries of a dashboard on one kind of data source, as (panel, target)."""
    return [
        (panel, target)
        for panel in board["panels"]
        for target in panel["targets"]
        if target["datasource"]["type"] == kind
    ]


def help_of(*command):
    """What the binary says of a command; nothing where there is no such command."""
    answer = run(BINARY, *command, "--help")
    return answer.stdout if answer.returncode == 0 else ""
