"""A running `cpr-host` for clients to speak to: its folder, its addresses, and what a client must show of itself.

The folder is the one of `cpr-host demo`; certificates, keys, systems and agreements are those of the demonstration.
"""

import os
import random
import signal
import socket
import subprocess
import time
import urllib.request

AGREEMENT = "11111111-0000-4000-8000-000000000001"
SYSTEM = "11111111-0000-4000-8000-000000000002"
USER = "11111111-0000-4000-8000-000000000003"


def free_port():
    """A port such that it and the next one are free, of those that the system gives nobody who asks for any."""
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as one, socket.socket() as other:
            try:
                one.bind(("127.0.0.1", port))
                other.bind(("127.0.0.1", port + 1))
                return port
            except OSError:
                continue


def invalid(schema, folder):
    """How many documents of a folder are not well-formed and valid by a schema."""
    documents, valid = sorted(folder.iterdir()), 0
    for at in range(0, len(documents), 500):
        call = ["xmllint", "--nonet", "--noout", "--schema", schema, *documents[at:at + 500]]
        told = subprocess.run(call, capture_output=True, text=True, errors="replace").stderr
        valid += sum(line.endswith(".xml validates") for line in told.splitlines())
    return len(documents) - valid


class Host:
    """A host of a folder; `change` replaces parts of its configuration."""

    def __init__(self, command, folder):
        self.command, self.folder = str(command), folder
        self.port = free_port()
        self.process = None

    @classmethod
    def of_demo(cls, command, folder, persons):
        """A folder of so many made-up persons, made by the demonstration; it does not run yet."""
        host = cls(command, folder)
        host._start("demo", "--persons", str(persons), "--folder", str(folder), "--port", str(host.port))
        host.stop()
        return host

    def run(self, change=()):
        """Starts the host of the folder, its configuration changed by pairs of old and new text."""
        text = (self.folder / "cpr-host.toml").read_text()
        for old, new in change:
            assert old in text, old
            text = text.replace(old, new, 1)
        config = self.folder / "changed.toml"
        config.write_text(text)
        self._start("run", str(config))

    def _start(self, *arguments):
        self.log = open(self.folder.parent / f"{self.folder.name}.log", "ab")
        self.process = subprocess.Popen([self.command, *arguments], stdout=self.log, stderr=self.log)
        end = time.monotonic() + 120
        while self.metrics() is None:
            if self.process.poll() is not None or time.monotonic() > end:
                with open(self.log.name, encoding="utf-8") as log:
                    raise AssertionError("the host does not answer: " + "".join(log.readlines()[-3:]))
            time.sleep(0.1)

    def metrics(self):
        """The text of `/metrics`; none while nothing answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port + 1}/metrics", timeout=5) as answer:
                return answer.read().decode()
        except OSError:
            return None

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(20)
        self.log.close()

    def url(self, path):
        return f"https://localhost:{self.port}{path}"

    def environment(self):
        """What clients need, as variables."""
        return {
            **os.environ, "HOST_CA": str(self.folder / "authority.pem"), "HOST_CERT": str(self.folder / "school.pem"),
            "HOST_KEY": str(self.folder / "school.key"), "HOST_AGREEMENT": AGREEMENT, "HOST_SYSTEM": SYSTEM, "HOST_USER": USER,
            "NO_PROXY": "localhost,127.0.0.1",
        }
