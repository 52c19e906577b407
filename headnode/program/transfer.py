"""Objects of the bucket: large requests and answers."""

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
    """GET a presigned URL of the bucket, or PUT the body there; no request can make it any other URL.

    curl(1) does it: Python's own client takes longer to import than the rest of this program takes to run. It follows
    no redirection, as the metadata service answers to root; and it reads the URL, a secret, where nobody else can.
    """
    # No quote and no backslash: in curl's configuration they mean something.
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
