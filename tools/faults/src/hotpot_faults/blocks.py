"""All blocks of all validators, compared; and executed anew by `hotpot verify`."""

import http.client
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

from .asking import Broken, ask


class Blocks:
    """All blocks of all validators, asked for once more at the end."""

    def __init__(self, validators):
        self.validators = validators
        self.last = min(validator_height(validator) for validator in validators)

    def read(self, validator):
        """Height, hash, and who signed in which round, of each block."""
        connection = http.client.HTTPConnection(validator.host, validator.http, timeout=30)
        read = []
        for height in range(1, self.last + 1):
            connection.request("GET", f"/api/v1/blocks/{height}")
            block = json.load(connection.getresponse())
            certificate = block["certificate"]
            signers = [signature["validator"] for signature in certificate["signatures"]]
            read.append(
                (height, block["hash"], certificate["round"], certificate["block_hash"], signers)
            )
        return read

    def compare(self):
        with ThreadPoolExecutor(len(self.validators)) as pool:
            copies = list(pool.map(self.read, self.validators))
        return compare(copies)


def compare(copies):
    """Counts; heights with more than one hash, or without two thirds; votes that contradict each other."""
    hashes: dict[int, str] = {}
    votes: dict[tuple[str, int, int], str] = {}
    conflicts, doubled = set(), set()
    for height, block_hash, round_, voted, signers in (block for copy in copies for block in copy):
        if (
            hashes.setdefault(height, block_hash) != block_hash
            or voted != block_hash
            or 3 * len(set(signers)) <= 2 * len(copies)
        ):
            conflicts.add(height)
        for signer in signers:
            if votes.setdefault((signer, height, round_), voted) != voted:
                doubled.add((signer, height, round_))
    counted = {"blocks": len(hashes), "copies": sum(map(len, copies)), "votes": len(votes)}
    return counted, conflicts, doubled


def validator_height(validator):
    status = ask(validator.url + "/readyz")
    if not status:
        raise Broken(f"{validator.name} does not answer at the end")
    return status["height"]


def verify(hotpot, urls):
    """Every block of every node, executed as a stranger would; the differences."""
    command = [hotpot, "verify", "--json", *(part for url in urls for part in ("--node", url))]
    out = subprocess.run(command, stdout=subprocess.PIPE, check=False).stdout
    summary = json.loads((out.splitlines() or [b"{}"])[-1])
    if "differences" not in summary:
        raise Broken(f"hotpot verify could not check: {summary.get('error')}")
    return summary
