"""`make run`: a private real Slurm, the local AWS endpoints and the API, until Ctrl-C."""

import argparse
import os
import shutil
import signal
import sys
import time
from pathlib import Path

from local import packages
from local.gateway import Gateway, PortTakenError, require_free

QUERY = '{"query": "{ jobs { totalCount nodes { jobId name user state reason } } }"}'


def main() -> int:
    """Start everything, say when it is ready, and take everything down again."""
    parser = argparse.ArgumentParser(prog="make run")
    parser.add_argument("--port", type=_port, default=8000)
    parser.add_argument("--accounting", action="store_true", help="with slurmdbd and a database")
    arguments = parser.parse_args()
    packages.install(print, packages.ACCOUNTING if arguments.accounting else packages.PACKAGES)
    directory = Path.cwd() / ".run" / str(arguments.port)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        require_free(arguments.port)  # first of all: another run may be using the directory
        _serve(directory, arguments.port, arguments.accounting)
    except PortTakenError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        shutil.rmtree(directory, ignore_errors=True)  # but not after a failed start: its logs say why it failed
    print("\nstopped: every process that was started is gone", flush=True)
    return 0


def _port(text: str) -> int:
    number = int(text)
    if not 0 < number < 65536:
        raise argparse.ArgumentTypeError(f"{number} is not a port (1 to 65535)")
    return number


def _interrupt(*_: object) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a second signal must not interrupt the clean-up
    raise KeyboardInterrupt


def _serve(directory: Path, port: int, accounting: bool) -> None:
    from local.cluster import Cluster, demo
    from local.ssm import Faults
    from local.stack import Stack

    started = time.monotonic()

    def progress(line: str) -> None:
        print(f"{time.monotonic() - started:5.1f} s  {line}", flush=True)

    shutil.rmtree(directory, ignore_errors=True)
    faults = Faults.realistic() if os.environ.get("SSM_LATENCY") == "realistic" else Faults()
    cluster = Cluster(directory / "slurm", "demo", accounting=accounting)
    with Stack(directory, [cluster], faults, progress) as stack:
        progress(f"the SSM endpoint listens on {stack.ssm.url}")
        progress("submitting demo jobs")
        demo.submit(cluster)
        os.environ.update(stack.environment)
        from handler import handler

        with Gateway(handler, stack.demo_user, port) as gateway:
            print(_welcome(gateway.url, [user.name for user in cluster.users]), flush=True)
            signal.pause()


def _welcome(url: str, users: list[str]) -> str:
    other = f"\nSign in as another user:  -H 'Authorization: Bearer {users[1]}'" if len(users) > 1 else ""
    return f"""
ready: {url}/graphql

Open it in a browser for GraphiQL, or ask with curl, as {users[0]}:

curl -s {url}/graphql -H 'Content-Type: application/json' \\
  -d '{QUERY}'
{other}
Ctrl-C stops everything."""


if __name__ == "__main__":
    sys.exit(main())
