"""Every PromQL of rules, dashboards and runbooks against a real Prometheus that scrapes running processes."""

import re
import unittest

import live
import processes
import promql
import repository

# No broker runs here: these names are looked up in the source instead.
ONLY_WITH_KAFKA = {
    "rxtrail_kafka_epoch", "rxtrail_kafka_foreign_messages_total", "rxtrail_kafka_lag_messages",
    "rxtrail_kafka_produce_errors_total", "rxtrail_kafka_produce_waits_total", "rxtrail_kafka_stopped",
}
# Panels that show nothing on a healthy simulated chain.
EMPTY_PANELS = {"Kafka: messages that wait", "Kafka: what brokers did not take"}
OF_PROMETHEUS = {"ALERTS", "up"}


def exported(text):
    """The names of all series in Prometheus's text."""
    return set(re.findall(r"^([a-z_]\w*)[{ ]", text, re.MULTILINE))


def runbook_promql():
    """Every question to Prometheus in the runbooks."""
    for page in sorted(repository.RUNBOOKS.glob("*.md")):
        for block in re.findall(r"```promql\n(.*?)```", page.read_text(), re.DOTALL):
            yield from ((page.stem, line) for line in block.strip().splitlines())


def every_promql():
    """Every expression with where it stands, Grafana's variables put in."""
    for file, rule in repository.rules():
        yield f"{file} {rule.get('alert') or rule.get('record')}", rule["expr"]
    yield from runbook_promql()
    for uid, board in repository.dashboards().items():
        for panel, target in repository.targets(board, "prometheus"):
            yield f"{uid} {panel['title']}", promql.expand(target["expr"])
        for annotation in board["annotations"]["list"]:
            yield f"{uid} {annotation['name']}", promql.expand(annotation["expr"])


def named():
    """Every metric that is named somewhere, with the places."""
    places = {}
    for where, expression in every_promql():
        for use in promql.uses(expression):
            places.setdefault(use.metric, []).append(where)
    return places


class PanelsOnADemo(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.at = live.deployment()
        cls.exported = exported(cls.at.demo.metrics()) | exported(cls.at.watched.metrics())

    def test_every_metric_that_is_named_is_exported(self):
        recorded = {rule["record"] for _, rule in repository.rules() if "record" in rule}
        unknown = {
            metric: places for metric, places in named().items()
            if metric not in self.exported | recorded | OF_PROMETHEUS | ONLY_WITH_KAFKA
        }
        self.assertEqual(unknown, {})

    def test_what_is_not_exported_here_is_made_by_the_source(self):
        self.assertEqual(ONLY_WITH_KAFKA & self.exported, set(), "these are exported after all")
        source = (repository.ROOT / "crates/bus/src/kafka/metrics.rs").read_text()
        self.assertEqual(set(re.findall(r'"(rxtrail_kafka_\w+)"', source)), ONLY_WITH_KAFKA)

    def test_every_metric_that_is_exported_is_shown_or_ruled_on(self):
        shown = {promql.family(metric) for metric in named()}
        ours = {promql.family(metric) for metric in self.exported if metric.startswith("rxtrail_")}
        self.assertEqual(ours - shown, set())

    def test_metrics_have_helpful_texts_and_names(self):
        for process in [self.at.demo, self.at.watched]:
            answer = repository.run("promtool", "check", "metrics", input=process.metrics())
            self.assertEqual((answer.returncode, answer.stdout), (0, ""))

    def test_a_process_has_few_series(self):
        limit = repository.load_yaml(repository.PROMETHEUS / "prometheus.yml")["scrape_configs"][0]["sample_limit"]
        for process in [self.at.demo, self.at.watched]:
            series = [line for line in process.metrics().splitlines() if not line.startswith("#")]
            self.assertLess(len(series) * 10, limit)

    def test_prometheus_loaded_every_rule_and_none_fails(self):
        answer = processes.json.loads(processes.get(f"{self.at.prometheus.url}/api/v1/rules"))
        loaded = [rule for group in answer["data"]["groups"] for rule in group["rules"]]
        self.assertEqual(len(loaded), len(repository.rules()))
        self.assertEqual([rule for rule in loaded if rule["health"] != "ok"], [])

    def test_every_panel_is_answered_and_shows_something(self):
        empty = set()
        for uid, board in repository.dashboards().items():
            for panel in board["panels"]:
                expressions = [target["expr"] for target in panel["targets"] if "expr" in target]
                rows = [self.at.query(promql.expand(expression)) for expression in expressions]
                if expressions and not any(rows):
                    empty.add(panel["title"])
        self.assertEqual(empty, EMPTY_PANELS)

    def test_every_rule_annotation_and_question_of_a_runbook_is_answered(self):
        for where, expression in every_promql():
            with self.subTest(where):
                self.at.query(expression)

    def test_variables_offer_something(self):
        for uid, board in repository.dashboards().items():
            for variable in board["templating"]["list"]:
                if variable["type"] == "query" and variable["datasource"]["type"] == "prometheus":
                    text = promql.expand(variable["query"]["query"])
                    selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", text).groups()
                    rows = self.at.query(f"count by ({label}) ({selector})")
                    self.assertTrue(rows and all(row["metric"].get(label) for row in rows), (uid, variable["name"]))

    def test_a_question_that_is_wrong_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "parse error"):
            self.at.query("rate(rxtrail_query_total[5m]")
