"""Who starts a validator, when two want to."""

import tempfile
import time
import unittest
from pathlib import Path

from hotpot_faults.validators import Validator


class Wires:
    """No network: every process runs where it is started."""

    def place(self, number):
        return "127.0.0.1", 7000 + number, 7100 + number

    def inside(self, _number):
        return ["env"]


class StartTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        sleeper = Path(self.folder.name) / "sleeper"
        sleeper.write_text("#!/bin/sh\nexec sleep 60\n")
        sleeper.chmod(0o700)
        self.validator = Validator(sleeper, Path(self.folder.name) / "one", 0, Wires(), None)
        self.addCleanup(self.validator.kill)

    def test_what_a_fault_has_started_is_not_started_again(self):
        self.validator.start()
        first = self.validator.process
        self.validator.start_if_ended()
        self.assertIs(self.validator.process, first)

    def test_what_ended_is_started_again_unless_nobody_wants_it(self):
        self.validator.start()
        first = self.validator.process
        self.validator.signal(9)
        while self.validator.is_running():
            time.sleep(0.01)
        self.validator.start_if_ended()
        self.assertIsNot(self.validator.process, first)

        self.validator.kill()
        ended = self.validator.process
        self.validator.start_if_ended()
        self.assertIs(self.validator.process, ended)


if __name__ == "__main__":
    unittest.main()
