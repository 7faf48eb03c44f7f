"""Breaks running networks on a seeded schedule and judges from outside; the README beside has its map."""
