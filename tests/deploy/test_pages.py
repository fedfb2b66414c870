"""What the pages for operators say is so: commands, flags, variables, metrics, statements, addresses, links."""

import re
import shlex
import unittest

import live
import processes
import repository
from repository import BINARY, PAGES, ROOT



def shell(page):
    """The lines of a page's shell blocks; a loop is one of many lines, and each is a line here."""
    for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL):
        yield from block.strip().splitlines()


def commands(page):
    """Every command of rxtrail that a page names, in blocks and in sentences."""
    for line in shell(page):
        for part in re.split(r" exec rxtrail | \| |; ", line):
            if part.startswith("rxtrail "):
                yield shlex.split(part)[1:]
    prose = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for span in re.findall(r"`rxtrail ([^`]+)`", re.sub(r"\s+", " ", prose)):
        yield shlex.split(span)


class Pages(unittest.TestCase):
    def test_every_command_and_flag_exists(self):
        checked = 0
        for page in PAGES:
            for command, *rest in commands(page):
                words = [command, *([rest[0]] if command in ("store", "bus") and rest else [])]
                text = repository.help_of(*words)
                self.assertTrue(text, f"{page.name}: rxtrail {' '.join(words)}")
                for word in rest:
                    if re.match("--?[a-z]", word):
                        self.assertRegex(text, rf"(?m)(^|[ ,]){word.split('=')[0]}\b", f"{page.name}: rxtrail {command} {word}")
                checked += 1
        self.assertGreater(checked, 50)

    def test_every_flag_in_a_sentence_belongs_to_a_command(self):
        words = " ".join(repository.help_of(command) for command in ["run", "ingest", "sql", "check"])
        tools = {"--web.user-assets", "--web.external-url", "--binary", "--profile"}
        for page in PAGES:
            prose = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
            for flag in re.findall(r"`(--[a-z.-]+)", prose):
                self.assertTrue(flag in words or flag in tools or flag == "--help", f"{page.name}: {flag}")

    def test_every_variable_exists(self):
        text = repository.help_of("run")
        for path in [*PAGES, repository.COMPOSE / "compose.yaml", repository.UNIT, repository.DOCKERFILE]:
            for name in re.findall(r"\bRXTRAIL_[A-Z_]+", path.read_text()):
                self.assertIn(f"[env: {name}=", text, path.name)

    def test_every_key_of_the_configuration_exists(self):
        source = "".join(path.read_text() for path in (ROOT / "crates/cli/src/config").glob("*.rs"))
        source += (ROOT / "crates/cli/src/config.rs").read_text()
        keys = {
            "endpoints", "endpoints_file", "start_block", "verify", "concurrency", "batch", "timeout_ms", "tail_limit",
            "finality", "memory_mb", "concurrent", "deadline_secs", "spill_mb", "retention_hours", "topic_prefix",
        }
        named = set()
        for page in PAGES:
            named |= {word for word in re.findall(r"`([a-z_]+)(?: = [^`]*)?`", page.read_text()) if word in keys}
            for key in re.findall(r"`([a-z_]+) = ", page.read_text()):
                self.assertIn(f'"{key}"', source, page.name)
        for key in named:
            self.assertIn(f'"{key}"', source)
        self.assertGreater(len(named), 10)

    def test_the_port_that_is_named_is_where_rxtrail_listens(self):
        source = (ROOT / "crates/cli/src/config/services.rs").read_text()
        self.assertIn("Ipv4Addr::LOCALHOST), 7474)", source)

    def test_every_alert_and_file_that_is_named_exists(self):
        alerts = set(repository.alerts())
        for page in PAGES:
            text = page.read_text()
            self.assertEqual(set(re.findall(r"\b(Rxtrail[A-Z]\w+)", text)) - alerts, set(), page.name)
            for path in re.findall(r"\b((?:deploy|docs|dashboards|tests)/[\w./-]*\w)", text):
                self.assertTrue((ROOT / path).exists(), f"{page.name}: {path}")
            for path in re.findall(r"\]\(([^)]+)\)", text):
                self.assertTrue((page.parent / path).exists(), f"{page.name}: {path}")


class AgainstADemo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.at = live.deployment()

    def test_every_statement_is_answered_on_the_command_line(self):
        asked = 0
        for page in PAGES:
            for command, *rest in commands(page):
                statement = [word for word in rest if word.startswith("SELECT")]
                if command == "sql" and statement:
                    answer = repository.run(BINARY, "sql", "--data-dir", self.at.demo.data, *statement)
                    self.assertEqual(answer.returncode, 0, f"{page.name}: {statement}\n{answer.stdout}")
                    asked += 1
        self.assertGreater(asked, 20)

    def test_a_statement_that_is_wrong_fails(self):
        answer = repository.run(BINARY, "sql", "--data-dir", self.at.demo.data, "SELECT sereal FROM items")
        self.assertNotEqual(answer.returncode, 0)

    def test_every_address_of_rxtrail_answers(self):
        exported = self.at.demo.metrics() + (ROOT / "crates/bus/src/kafka/metrics.rs").read_text()
        found = set()
        for page in PAGES:
            for port, path, rest in re.findall(r"http://127\.0\.0\.1:(747\d)(/\w+)([^\n`]*)", page.read_text()):
                processes.get(f"http://{self.at.demo.address}{path}")
                found.add(path)
                for metric in re.findall(r"grep (\w+)", rest):
                    self.assertIn(metric, exported, page.name)
        self.assertEqual(found, {"/health", "/ready", "/metrics"})

    def test_every_metric_in_a_sentence_is_exported(self):
        exported = self.at.demo.metrics() + (ROOT / "crates/bus/src/kafka/metrics.rs").read_text()
        for page in PAGES:
            prose = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
            for metric in re.findall(r"`(rxtrail_[a-z_]+)`", prose):
                self.assertIn(metric, exported, page.name)
