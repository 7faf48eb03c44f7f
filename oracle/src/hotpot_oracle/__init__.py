"""A second implementation of the ledger, written from docs/PROTOCOL.md; the README beside has its map."""
