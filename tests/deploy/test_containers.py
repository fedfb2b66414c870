"""The Dockerfile, the compose file, and the service, each by the tool that knows its form, and by the binary."""

import re
import shlex
import unittest

from compose_spec import PyCompose

import processes
import repository
from repository import BINARY, COMPOSE, DOCKERFILE, ROOT, UNIT

EXPOSURE_MAX = 2.0


def compose():
    """The compose file with its variables put in."""
    text = (COMPOSE / "compose.yaml").read_text()
    return repository.yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text))


def tcp_check(test, port):
    """A health check's command, for another port."""
    return [re.sub(r"/dev/tcp/127\.0\.0\.1/\d+", f"/dev/tcp/127.0.0.1/{port}", part) for part in test[1:]]


class Compose(unittest.TestCase):
    def setUp(self):
        self.file = compose()
        self.services = self.file["services"]

    def test_it_keeps_to_its_specification(self):
        # The library does not know YAML's merge keys: it is given what they come to.
        PyCompose.from_yaml(repository.yaml.safe_dump(self.file))
        self.file["services"]["kafka"]["helthcheck"] = {}
        with self.assertRaisesRegex(ValueError, "helthcheck"):
            PyCompose.from_yaml(repository.yaml.safe_dump(self.file))

    def test_every_service_is_bounded(self):
        for name, service in self.services.items():
            with self.subTest(name):
                self.assertEqual(service["cap_drop"], ["ALL"])
                self.assertIn("no-new-privileges:true", service["security_opt"])
                self.assertIn("mem_limit", service)
                self.assertIn("healthcheck", service)
                self.assertTrue(set(service["profiles"]) <= {"embedded", "scale"} and service["profiles"])
                self.assertRegex(service["image"], r"^[a-z/-]+:[v\d][\w.]*$")
                self.assertNotIn("privileged", service)

    def test_nothing_listens_but_on_this_machine(self):
        for name, service in self.services.items():
            with self.subTest(name):
                for port in service.get("ports", []):
                    self.assertTrue(port.startswith("127.0.0.1:"), port)
                if service.get("network_mode") == "host":
                    words = " ".join(service.get("command", [])) + str(service.get("environment", ""))
                    self.assertRegex(words, r"127\.0\.0\.1")
                    self.assertNotIn("0.0.0.0", words)

    def test_secrets_are_files_that_somebody_uses(self):
        used = set()
        for service in self.services.values():
            for secret in service.get("secrets", []):
                used.add(secret if isinstance(secret, str) else secret["source"])
            for value in service.get("environment", {}).items():
                self.assertFalse(re.search("PASSWORD|SECRET|TOKEN", value[0]) and not value[0].endswith("FILE"), value)
        self.assertEqual(used, set(self.file["secrets"]))
        made = re.search(r"for name in (.*); do", (ROOT / "deploy/README.md").read_text()).group(1).split()
        self.assertEqual({*made, "endpoints"}, used)

    def test_each_profile_has_what_its_services_wait_for(self):
        for name, service in self.services.items():
            for other in service.get("depends_on", {}):
                self.assertTrue(set(service["profiles"]) <= set(self.services[other]["profiles"]), (name, other))

    def test_what_is_mounted_is_there(self):
        for name, service in self.services.items():
            for volume in service.get("volumes", []):
                source = volume.split(":")[0]
                if source.startswith("."):
                    self.assertTrue((COMPOSE / source).exists(), f"{name} mounts {source}")
                else:
                    self.assertIn(source, self.file["volumes"], f"{name} mounts {source}")

    def test_alertmanager_finds_each_token_where_it_looks(self):
        mounted = {secret["target"] for secret in self.services["alertmanager"]["secrets"]}
        wanted = set(re.findall(r"credentials_file: ([^}\s]+)", repository.ALERTMANAGER.read_text()))
        self.assertEqual(mounted, wanted)

    def test_prometheus_scrapes_where_rxtrail_listens(self):
        for profile, file in [("embedded", "rxtrail.yml"), ("scale", "scale.yml")]:
            listen = {
                service["command"][service["command"].index("--listen") + 1]
                for service in self.services.values()
                if "--listen" in service.get("command", []) and profile in service["profiles"]
            }
            targets = repository.load_yaml(repository.PROMETHEUS / "targets" / file)[0]["targets"]
            self.assertEqual(set(targets), listen, profile)

    def test_the_commands_of_rxtrail_exist(self):
        for name in ["rxtrail", "ingest", "transform", "query"]:
            command, *rest = self.services[name]["command"]
            text = repository.help_of(command)
            self.assertTrue(text, f"{name}: there is no command {command}")
            for flag in rest:
                if flag.startswith("--"):
                    self.assertIn(flag, text)

    def test_the_binary_takes_both_configurations(self):
        files = processes.folder()
        (files / "endpoints").write_text("http://127.0.0.1:8545\n")
        (files / "password").write_text("secret\n")
        simulator = processes.Simulator()
        for name in ["rxtrail.toml", "rxtrail-scale.toml"]:
            text = (COMPOSE / name).read_text()
            text = text.replace("/run/secrets/endpoints", str(files / "endpoints"))
            text = text.replace("/run/secrets/clickhouse_password", str(files / "password"))
            text = text.replace("/etc/rxtrail/registry", str(simulator.config.parent / "registry"))
            (files / name).write_text(text)
            answer = repository.run(BINARY, "check", "--offline", "--config", files / name)
            self.assertEqual(answer.returncode, 0, answer.stdout)
        simulator.end()

    def test_what_health_checks_ask_tells_a_living_process_from_none(self):
        demo = processes.Rxtrail("demo", "demo", "--seed", "7", "--block-interval", "2")
        for name in ["rxtrail", "ingest", "transform", "query"]:
            test = self.services[name]["healthcheck"]["test"]
            self.assertEqual(repository.run(*tcp_check(test, demo.port)).returncode, 0, name)
        demo.end()
        self.assertNotEqual(repository.run(*tcp_check(test, demo.port)).returncode, 0)


class Image(unittest.TestCase):
    def test_hadolint_finds_nothing(self):
        answer = repository.run("hadolint", "--no-color", DOCKERFILE)
        self.assertEqual((answer.returncode, answer.stdout), (0, ""))

    def test_hadolint_would_find_something(self):
        broken = processes.folder() / "Dockerfile"
        broken.write_text(DOCKERFILE.read_text().replace("rm -rf /var/lib/apt/lists/*", "true"))
        self.assertNotEqual(repository.run("hadolint", broken).returncode, 0)

    def test_it_is_small_and_runs_as_nobody(self):
        text = DOCKERFILE.read_text()
        stages = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
        self.assertEqual(len(stages), 2)
        self.assertTrue(all(re.search(r":\S*\d|bookworm", stage) for stage in stages), stages)
        last = text[text.rindex("\nFROM "):]
        self.assertIn("\nUSER 65532:65532\n", last)
        self.assertNotIn("cargo", last)
        self.assertIn("--features kafka-tls", text)

    def test_what_it_copies_and_names_exists(self):
        text = DOCKERFILE.read_text()
        for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE):
            for source in line.split()[:-1]:
                self.assertTrue((ROOT / source).exists(), source)
        for name in re.findall(r"\b(RXTRAIL_\w+)=", text):
            self.assertIn(f"[env: {name}=", repository.help_of("run"))
        self.assertTrue(repository.help_of(*re.search(r'^CMD \["(\w+)"\]', text, re.MULTILINE).groups()))
        toolchain = re.search(r"FROM rust:([\d.]+)", text).group(1)
        self.assertIn(f'rust-version = "{toolchain}"', (ROOT / "Cargo.toml").read_text())
        self.assertIn("\nkafka-tls = ", (ROOT / "crates/cli/Cargo.toml").read_text())


class Service(unittest.TestCase):
    def unit(self, change=lambda text: text):
        """The unit, with the binary under test in place of the installed one."""
        path = processes.folder() / "rxtrail.service"
        path.write_text(change(UNIT.read_text()).replace("/usr/local/bin/rxtrail", BINARY))
        return path

    def test_systemd_takes_it(self):
        answer = repository.run("systemd-analyze", "verify", self.unit())
        self.assertEqual((answer.returncode, answer.stdout), (0, ""))
        broken = self.unit(lambda text: text.replace("Restart=on-failure", "Restart=sometimes"))
        self.assertIn("restart specifier", repository.run("systemd-analyze", "verify", broken).stdout)

    def exposure(self, unit):
        answer = repository.run("systemd-analyze", "security", "--offline=true", "--no-pager", unit)
        return float(re.search(r"exposure level for \S+: ([\d.]+)", answer.stdout).group(1))

    def test_it_is_hardened_and_the_readme_says_how_much(self):
        exposure = self.exposure(self.unit())
        self.assertLessEqual(exposure, EXPOSURE_MAX)
        self.assertIn(f"an exposure of {exposure}", (ROOT / "deploy/README.md").read_text())
        self.assertGreater(self.exposure(self.unit(lambda text: re.sub("(?m)^(Protect|Private|Restrict).*$", "", text))), EXPOSURE_MAX)

    def test_its_commands_and_variables_exist(self):
        text = UNIT.read_text()
        for line in re.findall(r"^ExecStart(?:Pre)?=\S+ (.*)$", text, re.MULTILINE):
            command, *flags = shlex.split(line)
            self.assertTrue(repository.help_of(command), line)
            for flag in flags:
                self.assertIn(flag, repository.help_of(command))
        for name in re.findall(r"^Environment=(\w+)=", text, re.MULTILINE):
            self.assertIn(f"[env: {name}=", repository.help_of("run"))
        codes = re.search(r"^RestartPreventExitStatus=(.*)$", text, re.MULTILINE).group(1).split()
        for code in [*codes, "130"]:
            self.assertRegex(repository.run(BINARY, "--help").stdout, rf"(?m)^ +{code}  ")
