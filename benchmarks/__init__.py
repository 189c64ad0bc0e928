"""Ratios against the usual way of doing the same, one command each: `python -m benchmarks.NAME`."""
