"""The SSM document that carries the program and its list of operations to the head node (SSM document schema 2.2)."""

import base64
import json
import shlex
import zlib
from collections.abc import Mapping
from typing import Any

from headnode.joining import joined
from slurm.operations import OPERATIONS

PARAMETER = "request"
REQUEST_LIMIT = 70_000
"""The longest request in the parameter, in characters: SSM takes 100,000 bytes with the document; more goes by S3."""

NOTHING_RAN = "slurmql: nothing was run"
"""What the document's script prints on stderr if it cannot run the program."""

# The first interpreter that is there: a distribution's, RHEL 8's own, ParallelCluster's. -I and -S: nothing but the
# standard library, no environment, no user's site. The request goes by stdin: argv is readable by everyone on the node.
# Garbage collection would take a twentieth of the program's time and find nothing. The program and its list of
# operations are packed, as they share SSM's 100,000 bytes with the request.
_SCRIPT = """\
#!/bin/sh
for python in python3 /usr/libexec/platform-python /opt/parallelcluster/pyenv/versions/*/envs/*/bin/python; do
  command -v "$python" >/dev/null 2>&1 && break
  python=
done
[ "$python" ] || {{ echo "{nothing_ran}: the head node has no Python 3" >&2; exit 127; }}
exec "$python" -I -S -c 'import binascii, gc, sys, zlib
gc.disable()
sys.argv[1:3] = [zlib.decompress(binascii.a2b_base64(packed)).decode("utf-8") for packed in sys.argv[1:3]]
exec(sys.argv.pop(1))' {program} {operations} {settings} <<'END OF REQUEST'
{parameter}
END OF REQUEST
"""


def operations() -> str:
    """The list of operations that the program gets, as JSON."""
    return json.dumps({operation.name: operation.as_data() for operation in OPERATIONS}, separators=(",", ":"))


def packed(text: str) -> str:
    """A text as the document carries it: base64 of zlib, a third of its size."""
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def content(settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The document's content. `settings` override the program's SETTINGS (reader, denied accounts, state folder ...).

    `bucket` among them must name the deployment's bucket, as `["https://NAME.s3.REGION.amazonaws.com/"]`: what is too
    large for SSM goes to URLs that begin so and nowhere else.

    Its one parameter holds base64url of gzip of JSON and nothing else, so no byte of a caller's text meets a shell.
    """
    script = _SCRIPT.format(
        nothing_ran=NOTHING_RAN,
        program=packed(joined()),
        operations=packed(operations()),
        settings=shlex.quote(json.dumps(settings or {})),
        parameter="{{ " + PARAMETER + " }}",
    )
    return {
        "schemaVersion": "2.2",
        "description": "slurmql: runs a fixed list of Slurm commands with checked options",
        "parameters": {
            PARAMETER: {
                "type": "String",
                "description": "base64url of gzip of the JSON request",
                "allowedPattern": "^[A-Za-z0-9_=-]+$",
                "maxChars": REQUEST_LIMIT,
            }
        },
        "mainSteps": [
            {
                "action": "aws:runShellScript",
                "name": "slurmql",
                "inputs": {"timeoutSeconds": "60", "runCommand": script.splitlines()},
            }
        ],
    }
