"""What makes a list fall back to graphql-core's own execution, and how often that happened."""

from collections import Counter


class SurpriseError(Exception):
    """Only graphql-core's own execution answers this rightly. The message is one of a few, for the tally."""


tally: Counter[str] = Counter()
"""How many lists were compiled, and why others were not: what a benchmark or a test looks at."""
COMPILED = "compiled"
