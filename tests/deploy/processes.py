"""Real processes for the tests: on free ports, waited for by asking, ended by their id."""

import atexit
import json
import re
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import repository

PAUSE_SECS = 0.2
_running = []


def folder():
    """A folder that is gone at the end."""
    made = tempfile.TemporaryDirectory(prefix="rxtrail-deploy-")
    atexit.register(made.cleanup)
    return Path(made.name)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(what, ask, secs=90):
    """Asks until the answer is true, and gives it; fails with `what` and the last answer when it never is."""
    ends, last = time.monotonic() + secs, None
    while time.monotonic() < ends:
        try:
            last = ask()
        except (OSError, ValueError, KeyError) as error:
            last = error
        else:
            if last:
                return last
        time.sleep(PAUSE_SECS)
    raise AssertionError(f"{what}: not within {secs} s; last: {str(last)[:2000]}")


class Process:
    """A program that runs until it is ended."""

    def __init__(self, name, command):
        self.name = name
        self.log = folder() / "output"
        with self.log.open("wb") as log:
            self.child = subprocess.Popen(
                [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )
        _running.append(self)

    def said(self):
        return self.log.read_text(errors="replace")

    def answers(self, url):
        """Waits until the process answers at `url`."""
        def ask():
            if self.child.poll() is not None:
                raise AssertionError(f"{self.name} ended with {self.child.returncode}:\n{self.said()[-3000:]}")
            return get(url)
        until(f"{self.name} answers at {url}", ask)
        return self

    def end(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()


@atexit.register
def end_all():
    """Ends what tests started, last first."""
    while _running:
        _running.pop().end()


def get(url, **headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
        return answer.read().decode()


def post(url, body, **headers):
    """Posts text, or an object as JSON; the answer read as JSON. The words of a refusal are in the error."""
    if not isinstance(body, str):
        body, headers = json.dumps(body), {"Content-Type": "application/json", **headers}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers), timeout=90) as answer:
            text = answer.read().decode()
    except urllib.error.HTTPError as error:
        raise ValueError(f"{error.code}: {error.read().decode()[:500]}") from error
    return json.loads(text) if text else None


class Rxtrail(Process):
    """A process of rxtrail with an address."""

    def __init__(self, name, *arguments, port=None, config=None):
        self.port = port or free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.data = folder() / "data"
        command = [repository.BINARY, *arguments, "--listen", self.address, "--data-dir", self.data]
        super().__init__(name, [*command, *(["--config", config] if config else [])])
        self.answers(f"http://{self.address}/health")

    def sql(self, statement):
        """The rows of an answer."""
        answer = post(f"http://{self.address}/v1/sql", statement, Accept="application/json")
        return answer["rows"] if isinstance(answer, dict) else answer

    def metrics(self):
        return get(f"http://{self.address}/metrics")


def demo():
    """A simulated chain that goes on for half a minute, with planted frauds."""
    return Rxtrail("demo", "demo", "--seed", "7", "--block-interval", "25")


class Simulator(Process):
    """A simulated chain as a node, that is told what to do by its control methods."""

    def __init__(self):
        files = folder()
        self.config = files / "rxtrail.toml"
        super().__init__("simulator", [
            repository.BINARY, "simulate", "--seed", "7", "--listen", "127.0.0.1:0", "--block-interval", "100",
            "--registry", files / "registry", "--write-config", self.config,
        ])
        said = until("the simulator says where it is", lambda: re.search(r"chain 1 at (http\S+)", self.said()))
        self.url = said.group(1)
        until("its configuration is written", self.config.exists)

    def call(self, method, *parameters):
        answer = post(self.url, {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters})
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        return answer["result"]
