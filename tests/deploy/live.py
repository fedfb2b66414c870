"""A deployment as operators have it, on this machine: two processes of rxtrail, Prometheus, Alertmanager, a receiver.

Files are those of deploy/, with addresses, folders and intervals in them replaced and nothing else.
"""

import functools
import json
import re
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import yaml

import processes
import repository
from processes import until

SILENCED = "ID-01"
TOKENS = {"page": "duty", "ticket": "tickets", "case": "investigators", "alive": "dead-mans-switch"}


class Receiver:
    """Whoever is told: keeps what came, with the token it came with."""

    def __init__(self):
        self.came = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                for alert in body["alerts"]:
                    receiver.came.append((self.path, self.headers.get("Authorization"), alert))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def told(self, path, **labels):
        """What came at a path under these labels, as (token, alert)."""
        return [
            (token, alert) for at, token, alert in list(self.came)
            if at == path and labels.items() <= alert["labels"].items()
        ]


class Deployment:
    """Everything, started and seen at work."""

    def __init__(self):
        self.files = processes.folder()
        self.receiver = Receiver()
        self.alertmanager = self.start_alertmanager()
        self.silence()
        self.targets = []
        self.prometheus = self.start_prometheus()
        self.watched, self.simulator = self.start_watched()
        self.demo = processes.demo()
        self.scrape(self.watched.address, self.demo.address)
        until("the demo is at work", lambda: "rxtrail_alert_notices_total" in self.demo.metrics())
        self.ask()
        self.provoke()
        self.see()

    def start_alertmanager(self):
        port, folder = processes.free_port(), self.files / "alertmanager"
        folder.mkdir()
        text = repository.ALERTMANAGER.read_text()
        text = text.replace("http://127.0.0.1:9095/", f"http://{self.receiver.address}/")
        text = text.replace("/etc/alertmanager/secrets/", f"{folder}/")
        for name in TOKENS.values():
            (folder / name).write_text(f"token-of-{name}")
        (folder / "alertmanager.yml").write_text(text)
        process = processes.Process("alertmanager", [
            "prometheus-alertmanager", f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
        ])
        process.url = f"http://127.0.0.1:{port}"
        return process.answers(f"{process.url}/-/ready")

    def silence(self):
        """Someone looks at the clones already."""
        answer = repository.run(
            "amtool", "silence", "add", f"--alertmanager.url={self.alertmanager.url}", "--author=test",
            "--comment=being looked at", "alertname=RxtrailCriticalCases", f"rule={SILENCED}",
        )
        if answer.returncode != 0:
            raise AssertionError(answer.stdout)

    def start_prometheus(self):
        port, folder = processes.free_port(), self.files / "prometheus"
        shutil.copytree(repository.PROMETHEUS, folder)
        config = repository.load_yaml(folder / "prometheus.yml")
        config["global"].update(scrape_interval="1s", scrape_timeout="1s", evaluation_interval="1s")
        places = {"127.0.0.1:9093": self.alertmanager.url.removeprefix("http://"), "127.0.0.1:9090": f"127.0.0.1:{port}"}
        for group in [*config["alerting"]["alertmanagers"], *config["scrape_configs"]]:
            for static in group.get("static_configs", []):
                static["targets"] = [places[target] for target in static["targets"]]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        url = f"http://127.0.0.1:{port}"
        process = processes.Process("prometheus", [
            "prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}", f"--web.external-url={url}",
            f"--web.user-assets={repository.RUNBOOKS}",
        ])
        process.url = url
        return process.answers(f"{url}/-/ready")

    def scrape(self, *addresses):
        """Prometheus finds the processes in its file of targets."""
        file = self.files / "prometheus/targets/rxtrail.yml"
        fresh = file.with_suffix(".new")
        fresh.write_text(yaml.safe_dump([{"targets": list(addresses)}]))
        fresh.replace(file)
        until("Prometheus scrapes both", lambda: len(self.query('up{job="rxtrail"} == 1')) == len(addresses))

    def start_watched(self):
        """An indexer of a simulated node that can be told to lie and to reorganise."""
        simulator = processes.Simulator()
        watched = processes.Rxtrail("watched", "run", config=simulator.config)
        until("the simulated chain is read", lambda: value(watched.metrics(), "rxtrail_chain_indexed_block", 0) > 0)
        return watched, simulator

    def ask(self):
        """People ask, rightly and wrongly; nobody is told of what they do wrong."""
        for _ in range(5):
            self.demo.sql("SELECT count(*) FROM alerts")
            try:
                self.demo.sql("SELECT nothing FROM nowhere")
            except ValueError:
                continue
            raise AssertionError("a wrong statement was answered")

    def provoke(self):
        """The node alters headers, then tells the truth again, then takes blocks back."""
        faults = self.simulator.call("sim_faults")
        self.simulator.call("sim_setFaults", {**faults, "alterHeaderEvery": 1})
        until("the lie is found out", lambda: "rxtrail_ingest_incidents_total{" in self.watched.metrics())
        self.simulator.call("sim_setFaults", faults)
        until("the lie is told of", lambda: "\nrxtrail_incidents_total{" in self.watched.metrics())
        self.simulator.call("sim_reorg", 3)
        until("the reorg is taken", lambda: "\nrxtrail_reverts_total{" in self.watched.metrics())

    def see(self):
        """Waits until Prometheus has seen all of it often enough for rates."""
        for metric in ["rxtrail_query_total", "rxtrail_reverts_total", "rxtrail_incidents_total"]:
            until(f"Prometheus has seen {metric}", lambda: self.query(f"count_over_time({metric}[1m]) > 3"))
        until("rules were evaluated", lambda: self.query("rxtrail:chain_stale:ratio3d"))
        until("answers were reckoned", lambda: self.query("rxtrail:answers_failed:ratio3d"))

    def query(self, expression):
        """The rows of an instant query; raises ValueError with Prometheus's words when it cannot be asked."""
        body = "query=" + processes.urllib.parse.quote(expression, safe="")
        answer = processes.post(
            f"{self.prometheus.url}/api/v1/query", body, **{"Content-Type": "application/x-www-form-urlencoded"},
        )
        return answer["data"]["result"]


def value(text, metric, default=None):
    """The first value of a metric in Prometheus's text."""
    found = re.search(rf"^{metric}(?:{{.*}})? (\S+)$", text, re.MULTILINE)
    return float(found.group(1)) if found else default


@functools.cache
def deployment():
    """The deployment, started once for all tests."""
    return Deployment()
