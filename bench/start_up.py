"""How fast a sandbox starts under AWS's runtime client: our artefact against a plain `sam build` of our code."""

import contextlib
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from artefact import contents, dependencies
from artefact.__main__ import TREE, build
from artefact.target import Target
from bench.figures import Figure
from local.aws import BUCKET, CREDENTIALS
from local.runtime import Sandbox, link_client

PAIRS = 9
# No request is made, so nothing needs to answer there.
ENVIRONMENT = {**CREDENTIALS, "SLURMQL_CLUSTERS": '{"lab": {}}', "SLURMQL_BUCKET": BUCKET, "SLURMQL_TABLE": "slurmql"}


def measure(progress: Callable[[str], None]) -> Iterator[Figure]:
    """The ratio of both, measured in pairs."""
    folder = Path(tempfile.mkdtemp(prefix="slurmql-start-up-"))
    try:
        progress("building the artefact")
        with contextlib.redirect_stdout(sys.stderr):  # standard output carries only the figures
            build(folder / "built", Target.here())
        progress("building plainly")
        plain(folder / "plain", Target.here())
        link_client(folder / "client")
        ours, theirs = [], []
        for number in range(PAIRS):
            progress(f"pair {number + 1} of {PAIRS}")
            ours.append(_init(folder, "built"))
            theirs.append(_init(folder, "plain"))
    finally:
        shutil.rmtree(folder)
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    yield Figure(
        "init_vs_plain_build",
        statistics.median(ratios),
        "of its time",
        f"sam build {statistics.median(theirs) * 1000:,.0f} ms, ours {statistics.median(ours) * 1000:,.0f} ms",
        "<= 0.5",
        f"CPU time of a process of awslambdaric until it asks for its first event; median of {PAIRS} pairs,"
        f" Python {Target.here().python}",
    )


def plain(folder: Path, target: Target) -> None:
    """The same code and libraries as sam build's `python-pip` installs them: complete and without bytecode."""
    folder.mkdir()
    dependencies.install(TREE, folder, target)
    contents.add_ours(TREE, folder)


def _init(folder: Path, name: str) -> float:
    # In Lambda the folder is read-only, so missing bytecode is missing at every start.
    environment = {**ENVIRONMENT, "PYTHONDONTWRITEBYTECODE": "1"}
    with Sandbox(folder / name, folder / "client", environment, folder / "said") as sandbox:
        return sandbox.init()
