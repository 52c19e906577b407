"""Large requests and answers, which are objects in the bucket."""

import os
import re
from typing import Any, Optional

from headnode.program.accounts import Ourselves
from headnode.program.operations import matches
from headnode.program.processes import Process, run, spool
from headnode.program.refused import Refused
from headnode.program.settings import SETTINGS

REQUEST_LIMIT = 32 << 20  # bytes of a request's JSON: Slurm takes a script of 4 MiB, and JSON may write a byte as six


def transfer(url: "Any", body: "Optional[bytes]" = None) -> bytes:
    """GET a presigned URL of the bucket, or PUT the body there. No request can make it use a URL elsewhere.

    It runs curl(1), because importing Python's own client takes longer than the rest of this program takes to run. curl
    follows no redirection, which could lead root to the metadata service, and reads the URL, a secret, from stdin.
    """
    # No quote and no backslash: both have a meaning in curl's configuration.
    if not any(matches(re.escape(prefix) + r"[!#-\[\]-~]*", url) for prefix in SETTINGS["bucket"]):
        raise Refused("it is not in the bucket that the head node's document names")
    argv = ["curl", "--disable", "--silent", "--show-error", "--globoff", "--path-as-is", "--write-out", "%{http_code}"]
    argv += ["--max-filesize", str(REQUEST_LIMIT), "--config", "-"]
    file = None
    if body is not None:
        file = spool(body)
        argv += ["--header", "Expect:", "--upload-file", "/dev/fd/%d" % file]
    curl = Process(argv, Ourselves(), stdin='url = "%s"\n' % url, most=REQUEST_LIMIT + 3, passes=file)
    run([curl])
    if file is not None:
        os.close(file)
    if curl.left < 0 or curl.exit_code == 63:  # curl(1): maximum file size exceeded
        raise Refused("it has more than %d bytes" % REQUEST_LIMIT)
    if curl.refusal is not None:
        raise curl.refusal
    if curl.exit_code != 0:
        raise Refused(curl.stderr.decode("utf-8", "replace").strip())
    status = curl.stdout[-3:].decode()
    if status != "200":
        raise Refused("it answers with status %s" % status)
    return curl.stdout[:-3]
