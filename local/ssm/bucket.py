"""Uploads a command's whole output if the sender names a bucket, as the agent does.

Source: amazon-ssm-agent (fileS3.go, s3util) and the user guide's page on Run Command output.
"""

import http.client
import logging
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bucket:
    """The OutputS3BucketName and OutputS3KeyPrefix of a SendCommand; an empty name means no upload."""

    name: str = ""
    prefix: str = ""

    def key(self, command_id: str, instance_id: str, folder: str, stream: str) -> str:
        """Return the object's key: prefix/command/instance/plugin/step/stdout."""
        parts = (self.prefix.strip("/"), command_id, instance_id, folder, stream)
        return "/".join(part for part in parts if part)

    def url(self, region: str, key: str) -> str:
        """Return the URL in GetCommandInvocation's answer: in path style, or "" without a bucket."""
        return f"https://s3.{region}.amazonaws.com/{self.name}/{key}" if self.name else ""


def upload(endpoint: str | None, bucket: Bucket, key: str, file: Path) -> None:
    """Upload a file unless it is empty. A failure is only logged, as by the agent; the command still succeeds."""
    if not endpoint or not file.exists() or not file.stat().st_size:
        return
    try:
        _put(endpoint, f"/{bucket.name}/{quote(key)}", file.read_bytes())
    except (OSError, http.client.HTTPException) as failure:
        _log.warning("upload of %s to %s failed: %s", key, bucket.name, failure)


def _put(endpoint: str, path: str, content: bytes) -> None:
    address = urlsplit(endpoint)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = kind(address.hostname or "", address.port, timeout=30)
    try:
        headers = {"Content-Type": "text/plain", "x-amz-acl": "bucket-owner-full-control"}
        connection.request("PUT", path, content, headers)
        answer = connection.getresponse()
        if answer.status != 200:
            raise http.client.HTTPException(f"HTTP {answer.status}: {answer.read(300)!r}")
    finally:
        connection.close()
