"""Dashboards: their form by a linter, and their SQL against a demo."""

import copy
import re
import unittest

import dashboard_lint
import processes
import repository
import sql
from repository import GRAFANA

# Panels that show nothing on a simulated chain whose node is honest.
EMPTY_PANELS = {"How far nodes were believed"}
# What rests on views of the registry shows nothing while a binary has none of them.
EMPTY_WITHOUT_REGISTRY = {"Recalls in force", "Licences that are not in force", "Recalls of these products"}


class Form(unittest.TestCase):
    def test_no_dashboard_has_a_finding(self):
        boards = repository.dashboards()
        wanted = {"rxtrail-ingest", "rxtrail-manufacturer", "rxtrail-query", "rxtrail-regulator", "rxtrail-rules"}
        self.assertEqual(set(boards), wanted)
        self.assertEqual({path.stem for path in (GRAFANA / "rxtrail").glob("*.json")}, wanted)
        self.assertEqual({uid: dashboard_lint.lint(board) for uid, board in boards.items()}, dict.fromkeys(wanted, []))

    def test_files_are_short_enough_to_read(self):
        for path in (GRAFANA / "rxtrail").glob("*.json"):
            self.assertLessEqual(len(path.read_text().splitlines()), 500, path.name)

    def test_provisioning_names_what_is_there(self):
        sources = repository.load_yaml(GRAFANA / "provisioning/datasources/rxtrail.yml")["datasources"]
        kinds = {source["type"] for source in sources}
        self.assertEqual(kinds, {dashboard_lint.PROMETHEUS, dashboard_lint.SQL})
        self.assertTrue(all(source["uid"] and source["editable"] is False for source in sources))
        passwords = [source["secureJsonData"]["password"] for source in sources if "secureJsonData" in source]
        self.assertEqual(passwords, ["$__file{/run/secrets/grafana_sql_password}"])
        provider = repository.load_yaml(GRAFANA / "provisioning/dashboards/rxtrail.yml")["providers"][0]
        self.assertEqual((provider["disableDeletion"], provider["allowUiUpdates"]), (True, False))
        grafana = repository.load_yaml(repository.COMPOSE / "compose.yaml")["services"]["grafana"]
        self.assertIn(f"../../dashboards/grafana/rxtrail:{provider['options']['path']}:ro", grafana["volumes"])
        self.assertIn("../../dashboards/grafana/provisioning:/etc/grafana/provisioning:ro", grafana["volumes"])
        text = (GRAFANA / "provisioning/datasources/rxtrail.yml").read_text()
        self.assertEqual(set(re.findall(r"\$\{(\w+)\}", text)) - set(grafana["environment"]), set())


class Linter(unittest.TestCase):
    """Each rule finds what it is for."""

    CHANGES = {
        "template_datasource": lambda board: board["templating"]["list"][0].update(label="Source"),
        "template_labels": lambda board: board["templating"]["list"][1].update(multi=False),
        "template_promql": lambda board: board["templating"]["list"][2]["query"].update(query="label_values(up{, x)"),
        "template_reload": lambda board: board["templating"]["list"][1].update(refresh=1),
        "uneditable": lambda board: board.update(editable=True),
        "head": lambda board: board.update(tags=["other"]),
        "layout": lambda board: board["panels"][1].update(gridPos=board["panels"][0]["gridPos"]),
        "panel_words": lambda board: board["panels"][0].update(description=""),
        "panel_units": lambda board: board["panels"][0]["fieldConfig"]["defaults"].update(unit="secs"),
        "panel_targets": lambda board: board["panels"][0].update(targets=[]),
        "target_promql": lambda board: ask(board, "sum(up{)"),
        "target_rate_interval": lambda board: ask(board, 'rate(x_total{job=~"$job", instance=~"$instance"}[5m])'),
    }

    def test_every_rule_finds_what_it_is_for(self):
        self.assertEqual(set(self.CHANGES), {rule.__name__ for rule in dashboard_lint.RULES})
        good = repository.dashboards()["rxtrail-query"]
        for name, change in self.CHANGES.items():
            broken = copy.deepcopy(good)
            change(broken)
            found = {fault.split(":")[0] for fault in dashboard_lint.lint(broken)}
            self.assertEqual(found, {name})

    def test_a_selector_must_name_job_and_instance_and_a_counter_be_a_rate(self):
        board = copy.deepcopy(repository.dashboards()["rxtrail-query"])
        ask(board, "sum(rxtrail_query_total)")
        self.assertEqual(len(dashboard_lint.lint(board)), 3)


def ask(board, expression):
    board["panels"][0]["targets"][0]["expr"] = expression


class Statements(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.demo = processes.Rxtrail("demo", "demo", "--seed", "7", "--block-interval", "2")
        health = f"http://{cls.demo.address}/health"
        last = lambda: cls.demo.sql("SELECT max(block_time) AS at, count(*) AS n FROM events")[0]
        # A chain of 20,000 logs and more: near its end every product and step is there.
        processes.until(f"the chain is read ({health})", lambda: last()["n"] > 20_000)
        tables = {row["table_name"] for row in cls.demo.sql("SHOW TABLES")}
        cls.missing = set(sql.VIEWS) - tables
        span = cls.demo.sql("SELECT min(block_time) AS first, max(block_time) AS last FROM events")[0]
        cls.span = (span["first"], span["last"])
        cls.values = {"chain": ["1"], "gtin": cls.column("gtin"), "lot": cls.column("lot")}

    @classmethod
    def column(cls, name):
        rows = cls.demo.sql(f"SELECT DISTINCT {name} FROM items WHERE {name} IS NOT NULL")
        return [row[name] for row in rows]

    def rows(self, statement):
        whole = sql.expand(statement, self.values, *self.span)
        whole, has_stand_in = sql.with_stand_ins(whole, self.missing)
        return self.demo.sql(whole), has_stand_in

    def test_every_statement_is_answered_and_shows_something(self):
        empty = set()
        for uid, board in repository.dashboards().items():
            for name, statement, _ in sql.statements(board):
                with self.subTest(dashboard=uid, panel=name):
                    rows, _ = self.rows(statement)
                    if not rows:
                        empty.add(name)
        wanted = EMPTY_PANELS | (EMPTY_WITHOUT_REGISTRY if self.missing else set())
        self.assertEqual(empty, wanted)

    def test_what_is_drawn_over_time_has_a_time_first_and_in_order(self):
        drawn = 0
        for board in repository.dashboards().values():
            for name, statement, form in sql.statements(board):
                if form == "time_series":
                    rows, _ = self.rows(statement)
                    times = [row["time"] for row in rows]
                    self.assertEqual((list(rows[0])[:2], times), (["time", "metric"], sorted(times)), name)
                    drawn += 1
        self.assertGreater(drawn, 2)

    def test_a_variable_cannot_end_its_quotes(self):
        statement = sql.expand("SELECT 1 AS one WHERE 'x' IN (${gtin:sqlstring})", {"gtin": ["x') OR ('1' = '1"]}, "", "")
        self.assertEqual(self.demo.sql(statement), [])
        for board in repository.dashboards().values():
            for name, text, _ in sql.statements(board):
                self.assertEqual(re.findall(r"\$\{?(?!__|\w+:sqlstring\})\w+", text), [], name)

    def test_a_column_that_is_not_there_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "plan"):
            self.rows("SELECT sereal FROM items")
        with self.assertRaisesRegex(ValueError, "plan"):
            self.demo.sql(sql.with_stand_ins("SELECT nobody FROM actors", {"actors"})[0])
