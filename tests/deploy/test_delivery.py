"""From a planted fraud, and from a node that lies, to the people who must know: nothing in between is a fake."""

import unittest

import live
import processes
import repository
from processes import until


class Delivery(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.at = live.deployment()
        cls.told = cls.at.receiver.told

    def first(self, path, **labels):
        return until(f"{labels} is told at {path}", lambda: self.told(path, **labels))[0]

    def test_planted_frauds_reach_duty_and_investigators_each_with_its_own_token(self):
        for path in ["page", "case"]:
            token, alert = self.first(f"/{path}", alertname="RxtrailCriticalCases", rule="ST-01")
            self.assertEqual(token, f"Bearer token-of-{live.TOKENS[path]}")
            wanted = {"alertname": "RxtrailCriticalCases", "area": "anomaly", "job": "rxtrail", "rule": "ST-01", "severity": "page"}
            self.assertEqual(alert["labels"], wanted)
            self.assertIn("Critical cases of rule ST-01", alert["annotations"]["description"])
        token, _ = self.first("/ticket", alertname="RxtrailHighCases", rule="SQ-01")
        self.assertEqual(token, "Bearer token-of-tickets")

    def test_the_link_in_an_alert_leads_to_its_runbook(self):
        _, alert = self.first("/page", alertname="RxtrailCriticalCases", rule="ST-01")
        page = processes.get(alert["annotations"]["runbook_url"])
        self.assertEqual(page, (repository.RUNBOOKS / "RxtrailCriticalCases.md").read_text())

    def test_a_silenced_alert_fires_and_is_not_delivered(self):
        def suppressed():
            url = f"{self.at.alertmanager.url}/api/v2/alerts?filter=rule%3D%22{live.SILENCED}%22"
            states = [alert["status"]["state"] for alert in processes.json.loads(processes.get(url))]
            return states and set(states) == {"suppressed"}
        until("the alert of the clones is suppressed", suppressed)
        self.first("/page", alertname="RxtrailCriticalCases", rule="MI-01")
        self.first("/case", alertname="RxtrailCriticalCases", rule="MI-01")
        for path in ["/page", "/case"]:
            self.assertEqual(self.told(path, alertname="RxtrailCriticalCases", rule=live.SILENCED), [])

    def test_a_node_that_lies_is_paged_by_name(self):
        _, alert = self.first("/page", alertname="RxtrailNodeProofFailed")
        self.assertEqual((alert["labels"]["chain"], alert["labels"]["endpoint"]), ("1", "rpc-1"))

    def test_the_watchdog_goes_to_its_switch_alone_and_information_to_nobody(self):
        self.first("/alive", alertname="Watchdog")
        paths = {path for path, _, alert in self.at.receiver.came if alert["labels"]["alertname"] == "Watchdog"}
        self.assertEqual(paths, {"/alive"})
        informed = [path for path, _, alert in self.at.receiver.came if alert["labels"].get("severity") == "info"]
        self.assertEqual(set(informed), {"/alive"})

    def test_what_follows_from_something_else_is_inhibited(self):
        """By Alertmanager itself, given both at once: `inhibited` must hang under `cause`, `other` must not."""
        cases = [
            ("RxtrailAllEndpointsResting", {"chain": "7"}, "RxtrailBehindHead", {"chain": "7"}, {"chain": "8"}),
            ("RxtrailDown", {"instance": "a"}, "RxtrailRestarts", {"instance": "a"}, {"instance": "b"}),
            ("RxtrailNobodyReads", {}, "RxtrailHeadStuck", {"chain": "7"}, None),
            ("RxtrailKafkaStopped", {"chain": "7"}, "RxtrailKafkaLag", {"chain": "7"}, {"chain": "8"}),
            ("RxtrailFreshnessBurnsFast", {"chain": "7"}, "RxtrailFreshnessBurnsSlowly", {"chain": "7"}, {"chain": "8"}),
        ]
        for number, (cause, of_cause, follows, of_it, of_other) in enumerate(cases):
            job = {"job": f"posted-{number}"}
            labels = [(cause, of_cause), (follows, of_it), *([(follows, of_other)] if of_other else [])]
            static = {name: rule["labels"] for name, rule in repository.alerts().items()}
            posted = [{"labels": {"alertname": name, **static[name], **job, **own}} for name, own in labels]
            processes.post(f"{self.at.alertmanager.url}/api/v2/alerts", posted)
            wanted = ["active", "suppressed", "active"][:len(labels)]
            until(f"{cause} inhibits {follows}", lambda: self.states(posted) == wanted)

    def states(self, posted):
        url = f"{self.at.alertmanager.url}/api/v2/alerts"
        found = processes.json.loads(processes.get(url))
        states = {tuple(sorted(alert["labels"].items())): alert["status"]["state"] for alert in found}
        return [states.get(tuple(sorted(alert["labels"].items()))) for alert in posted]
