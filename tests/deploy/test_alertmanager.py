"""Who is told of what."""

import re
import unittest

import repository
from repository import ALERTMANAGER

ROUTES = {
    "alertname=Watchdog area=watchdog severity=info": "dead-mans-switch",
    "alertname=RxtrailCriticalCases area=anomaly severity=page": "investigators,duty",
    "alertname=RxtrailHighCases area=anomaly severity=ticket": "investigators,tickets",
    "alertname=RxtrailCasesWithdrawn area=anomaly severity=info": "nobody",
    "alertname=RxtrailNodeProofFailed area=node severity=page": "duty",
    "alertname=RxtrailDown area=pipeline severity=page": "duty",
    "alertname=RxtrailKafkaLag area=pipeline severity=ticket": "tickets",
    "alertname=RxtrailKafkaTakeovers area=pipeline severity=info": "nobody",
    "alertname=FromElsewhere severity=warning": "tickets",
}
RECEIVERS = {"page": "duty", "ticket": "tickets", "info": "nobody"}


def receivers(labels, config=ALERTMANAGER):
    answer = repository.run("amtool", "config", "routes", "test", f"--config.file={config}", *labels.split())
    return answer.stdout.strip().splitlines()[-1]


class Routes(unittest.TestCase):
    def test_alertmanager_takes_the_configuration(self):
        answer = repository.run("amtool", "check-config", ALERTMANAGER)
        self.assertEqual(answer.returncode, 0, answer.stdout)
        self.assertIn("SUCCESS", answer.stdout)

    def test_labels_lead_to_the_right_people(self):
        self.assertEqual({labels: receivers(labels) for labels in ROUTES}, ROUTES)

    def test_every_alert_reaches_those_whom_its_severity_names(self):
        for name, rule in repository.alerts().items():
            labels = rule["labels"]
            wanted = RECEIVERS[labels["severity"]]
            if name == "Watchdog":
                wanted = "dead-mans-switch"
            elif labels["area"] == "anomaly" and labels["severity"] != "info":
                wanted = f"investigators,{wanted}"
            text = " ".join(f"{key}={value}" for key, value in {"alertname": name, **labels}.items())
            self.assertEqual(receivers(text), wanted, name)

    def test_no_secret_stands_in_the_file_and_every_receiver_has_its_own(self):
        config = repository.load_yaml(ALERTMANAGER)
        files = []
        for receiver in config["receivers"]:
            for hook in receiver.get("webhook_configs", []):
                self.assertEqual(set(hook), {"url", "send_resolved", "http_config"})
                self.assertEqual(set(hook["http_config"]["authorization"]), {"credentials_file"})
                files.append(hook["http_config"]["authorization"]["credentials_file"])
        self.assertEqual(len(set(files)), 4)

    def test_what_inhibits_and_what_is_inhibited_exists(self):
        alerts = repository.alerts()
        matchers = [
            matcher
            for rule in repository.load_yaml(ALERTMANAGER)["inhibit_rules"]
            for matcher in rule["source_matchers"] + rule["target_matchers"]
        ]

        for matcher in matchers:
            label, operator, value = re.fullmatch(r'(\w+) (=~|!=|=) "(.*)"', matcher).groups()
            known = set(alerts) if label == "alertname" else {rule["labels"].get(label) for rule in alerts.values()}
            for word in value.split("|"):
                found = [name for name in known if name and re.fullmatch(word if operator == "=~" else re.escape(word), name)]
                self.assertTrue(found, f"{matcher}: there is no {label} {word}")
