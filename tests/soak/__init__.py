"""Random programs over the whole table, the engine against an oracle: `python -m tests.soak --programs 1000`."""
