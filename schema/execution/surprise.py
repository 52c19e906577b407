"""Why lists fall back to graphql-core's own execution, and how often they do."""

from collections import Counter


class SurpriseError(Exception):
    """Only graphql-core's own execution can answer this. The message is one of a few, which `tally` counts."""


tally: Counter[str] = Counter()
"""How many lists were compiled, and why others were not; for benchmarks and tests."""
COMPILED = "compiled"
