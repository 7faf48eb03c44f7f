"""A second implementation of the ledger, written from docs/PROTOCOL.md. `scripts/replay` runs it.

| Module | What |
|---|---|
| `codec.py` | canonical bytes and JSON of a type, from its annotations |
| `crypto.py` | hashes, signatures, Merkle trees, EIP-712 |
| `transactions.py` | what actors sign: one class for each transaction |
| `chain.py` | genesis, blocks, certificates, checkpoints |
| `state.py` | what the ledger keeps, and what a block wrote |
| `rules.py` | one function for each transaction |
| `epoch.py` | one function for each step of an epoch's end |
| `payouts.py` | words, chunks and the payout root |
| `replay.py` | a chain from its export, compared at every height |

A new transaction is a class in `transactions.py` and a function in `rules.py`; a new step of an epoch's end is a
function in `epoch.py`; a new entry of the state is a class and a field of `Changes` in `state.py`.
"""
