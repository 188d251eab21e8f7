"""Benchmarks: ratios to named peers, in one run."""
