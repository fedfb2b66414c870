"""Rules, their tests, and their runbooks: each alert has all of them, and each test can tell a broken rule."""

import re
import shutil
import unittest

import processes
import repository
from repository import PROMETHEUS, RUNBOOKS

SEVERITIES = {"page", "ticket", "info"}
AREAS = {"anomaly", "node", "pipeline", "query", "objective", "watchdog"}
DURATION = r"(?:\d+(?:ms|[smhdwy]))+"


def faults_of(name, rule):
    """What an alert lacks."""
    labels, annotations = rule.get("labels", {}), rule.get("annotations", {})
    if labels.get("severity") not in SEVERITIES:
        yield f"{name}: severity is {labels.get('severity')!r}"
    if labels.get("area") not in AREAS:
        yield f"{name}: area is {labels.get('area')!r}"
    if set(annotations) != {"summary", "description", "runbook_url"}:
        yield f"{name}: annotations are {sorted(annotations)}"
    if annotations.get("runbook_url") != "{{ $externalURL }}/user/" + name + ".md":
        yield f"{name}: its link leads to {annotations.get('runbook_url')!r}"
    if "for" in rule and not re.fullmatch(DURATION, rule["for"]):
        yield f"{name}: for is {rule['for']!r}"
    # What compares two changing figures may be true for a moment; what is counted over a window need not wait.
    windowed = re.search(r"increase|changes\(|min_over_time|vector\(1\)", rule["expr"])
    if "for" not in rule and not windowed:
        yield f"{name}: fires at once on a figure of one moment"


def stories(folder=PROMETHEUS / "tests"):
    """For each alert the tests in which it fires, and those in which it must not."""
    fires, quiet = set(), set()
    for path in sorted(folder.glob("*.yml")):
        for group in repository.load_yaml(path)["tests"]:
            for case in group["alert_rule_test"]:
                (fires if case["exp_alerts"] else quiet).add(case["alertname"])
    return fires, quiet


class Rules(unittest.TestCase):
    maxDiff = None

    def test_prometheus_takes_the_configuration(self):
        answer = repository.run("promtool", "check", "config", PROMETHEUS / "prometheus.yml")
        self.assertEqual(answer.returncode, 0, answer.stdout)
        files = len(list((PROMETHEUS / "rules").glob("*.yml")))
        self.assertIn(f"SUCCESS: {files} rule files found", answer.stdout)

    def test_the_rules_have_no_findings(self):
        files = sorted((PROMETHEUS / "rules").glob("*.yml"))
        answer = repository.run("promtool", "check", "rules", "--lint=all", "--lint-fatal", *files)
        self.assertEqual(answer.returncode, 0, answer.stdout)

    def test_every_story_comes_true(self):
        files = sorted((PROMETHEUS / "tests").glob("*.yml"))
        answer = repository.run("promtool", "test", "rules", *files)
        self.assertEqual((answer.returncode, answer.stdout.count("SUCCESS")), (0, len(files)), answer.stdout)

    def test_every_alert_says_what_it_must(self):
        alerts = repository.alerts()
        self.assertGreater(len(alerts), 40)
        self.assertEqual([fault for name, rule in alerts.items() for fault in faults_of(name, rule)], [])

    def test_every_alert_has_a_runbook_and_fires_in_one_story_and_not_in_another(self):
        alerts = set(repository.alerts())
        fires, quiet = stories()
        pages = {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"}
        self.assertEqual(pages, alerts)
        self.assertEqual(fires, alerts)
        # It always fires: that is what it is for.
        self.assertEqual(quiet, alerts - {"Watchdog"})

    def test_the_index_names_every_runbook_once_with_who_is_told(self):
        index = (RUNBOOKS / "README.md").read_text()
        rows = re.findall(r"^\| \[(\w+)\]\((\w+)\.md\) \| (\w+) \|", index, re.MULTILINE)
        wanted = [(name, name, rule["labels"]["severity"]) for name, rule in repository.alerts().items()]
        self.assertEqual(sorted(rows), sorted(wanted))

    def test_every_runbook_says_the_four_things(self):
        for name in repository.alerts():
            text = (RUNBOOKS / f"{name}.md").read_text()
            titles = re.findall(r"^#+ .*$", text, re.MULTILINE)
            wanted = ["## What it means", "## What it costs", "## How to look", "## What to do"]
            self.assertEqual(titles, [f"# {name}", *wanted])


class BrokenRules(unittest.TestCase):
    """What the stories are worth: each of these changes makes one of them fail."""

    CHANGES = [
        ("anomalies.yml", 'severity="critical"}) > 0', 'severity="critical"}) > 5'),
        ("anomalies.yml", "time() - 600)", "time() + 600)"),
        ("anomalies.yml", "unless rxtrail_alert_notices_total offset 10m", "unless rxtrail_alert_notices_total"),
        ("anomalies.yml", "|sender", ""),
        ("pipeline.yml", 'up{job="rxtrail"} == 0', "up == 0"),
        ("pipeline.yml", "max by (job, chain) (rxtrail_rpc_endpoint_up) == 0", "min(rxtrail_rpc_endpoint_up) == 0"),
        ("pipeline.yml", "ok|range_too_large", "ok"),
        ("tables.yml", "unless on (job, instance) rxtrail_chain_indexed_block", ""),
        ("tables.yml", "(delta(rxtrail_chain_indexed_block[10m])) == 0", "(delta(rxtrail_chain_indexed_block[10m])) > 0"),
        ("objectives.yml", "ratio1h > 14.4 * 0.001", "ratio1h > 144 * 0.001"),
        ("objectives.yml", "[1h])) > 100", "[1h])) > 1"),
        ("queries.yml", 'outcome="busy"', 'outcome="ok"'),
        ("watchdog.yml", "vector(1)", "vector(1) > 1"),
    ]

    def test_a_broken_rule_is_found(self):
        for file, old, new in self.CHANGES:
            with self.subTest(file=file, old=old):
                copy = processes.folder()
                for name in ("rules", "tests"):
                    shutil.copytree(PROMETHEUS / name, copy / name)
                text = (copy / "rules" / file).read_text()
                self.assertIn(old, text)
                (copy / "rules" / file).write_text(text.replace(old, new))
                told = [path for path in (copy / "tests").glob("*.yml") if f"../rules/{file}" in path.read_text()]
                answer = repository.run("promtool", "test", "rules", *told)
                self.assertNotEqual(answer.returncode, 0, "the stories come true all the same")

    def test_an_alert_without_its_parts_is_found(self):
        rule = {"expr": "up == 0", "labels": {"severity": "urgent"}, "annotations": {"summary": "x"}}
        self.assertEqual(len(list(faults_of("Broken", rule))), 5)
