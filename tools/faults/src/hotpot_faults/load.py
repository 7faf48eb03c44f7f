"""Signed sales from outside, and what became of those that were acknowledged."""

import json
import signal
import subprocess

from .asking import PATIENCE_S, Broken, wait_for


class Load:
    """`load sales` outside of the network; a fsynced journal of what was acknowledged."""

    def __init__(self, program, network_file, rate, seed, journal, through=()):
        self.program, self.network_file, self.journal = program, network_file, journal
        command = [program, "sales", "--network", network_file, "--rate", str(rate)]
        command += [
            "--seconds",
            "604800",
            "--retry",
            "--seed",
            str(seed),
            "--journal",
            journal,
            "--json",
        ]
        # Elsewhere than to the nodes, such as to the gateway.
        for url in through:
            command += ["--through", url]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)

    def wait_until_it_runs(self):
        def first_acknowledged():
            if self.process.poll() is not None:
                raise Broken(f"load ended with {self.process.returncode}")
            return self.journal.exists() and self.journal.stat().st_size > 0

        wait_for("acknowledged sale", first_acknowledged)

    def stop(self):
        """Ends the sending, waits for the answers; gives the report."""
        self.process.send_signal(signal.SIGINT)
        out, _ = self.process.communicate(timeout=2 * PATIENCE_S)
        if not out:
            raise Broken(f"load ended without a report ({self.process.returncode})")
        return json.loads(out)

    def check(self):
        command = [self.program, "check", "--network", self.network_file, "--journal", self.journal]
        out = subprocess.run([*command, "--json"], stdout=subprocess.PIPE, check=False).stdout
        if not out:
            raise Broken("load check ended without a result")
        return json.loads(out)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
