"""S3: the bucket for what is too large for SSM, and the buckets that scripts come from."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from headnode.aws import Clients
from headnode.aws_calls import NoTimeLeftError, at_most, repeated
from headnode.errors import ClusterUnreachableError
from slurm.refusal import Refusal, RefusalCode
from slurm.script import SCRIPT_LIMIT

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

OBJECT_LIMIT = 64 << 20
"""At most this many bytes of a stored answer are read; a longer answer fails the check of its digest."""
_SECONDS = 15.0  # for one object to come or go
_DELETE_SECONDS = 2.0  # if it takes longer, the bucket deletes the object after a day
_PIECE = 1 << 20  # bytes that are read before the time is checked again
_URL_SECONDS = 120  # SSM's history keeps presigned URLs, so each is valid for one object and not for long


class Storage:
    """Objects that carry large requests and answers; the head node reaches them by presigned URLs only."""

    def __init__(self, clients: Clients, bucket: str) -> None:
        self._clients = clients
        self._bucket = bucket

    def new_key(self, kind: str) -> str:
        """A key that nobody can guess: `answers/...` or `requests/...`; the bucket deletes them after a day."""
        return f"{kind}/{secrets.token_hex(16)}"

    def put_url(self, key: str) -> str:
        """A URL to PUT the object to."""
        return self._presign("put_object", key)

    def get_url(self, key: str) -> str:
        """A URL to GET the object from."""
        return self._presign("get_object", key)

    def put(self, key: str, body: bytes) -> None:
        """Store the object."""
        try:
            repeated(lambda: self._clients.s3.put_object(Bucket=self._bucket, Key=key, Body=body), _SECONDS)
        except (BotoCoreError, ClientError) as error:
            raise ClusterUnreachableError("The bucket for large requests cannot be written to.") from error

    def get(self, key: str, sha256: str) -> bytes:
        """The object, if it has that digest (hexadecimal SHA-256)."""
        try:
            body = repeated(lambda: _read(self._clients.s3, self._bucket, key, OBJECT_LIMIT), _SECONDS)
        except (BotoCoreError, ClientError) as error:
            raise ClusterUnreachableError("The bucket for large answers cannot be read.") from error
        if hashlib.sha256(body).hexdigest() != sha256:
            raise ClusterUnreachableError("The answer in the bucket is not the one that the head node announced.")
        return body

    def delete(self, key: str) -> None:
        """Remove the object. If that fails, the bucket deletes it after a day."""
        try:
            with at_most(_DELETE_SECONDS):
                self._clients.s3.delete_object(Bucket=self._bucket, Key=key)
        except (BotoCoreError, ClientError):
            return

    def _presign(self, operation: str, key: str) -> str:
        return self._clients.s3.generate_presigned_url(
            operation, Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=_URL_SECONDS
        )


def _read(s3: S3Client, bucket: str, key: str, limit: int) -> bytes:
    """At most so many bytes of the object; the time between two pieces counts as well as that for each."""
    with at_most(_SECONDS) as deadline:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"]
        pieces: list[bytes] = []
        while limit and (piece := body.read(min(limit, _PIECE))):
            if deadline.passed:
                body.close()
                raise NoTimeLeftError
            pieces.append(piece)
            limit -= len(piece)
    return b"".join(pieces)


class ScriptUnavailableError(Exception):
    """A script cannot be read from S3; `refusal` says why."""

    def __init__(self, code: RefusalCode, message: str) -> None:
        super().__init__(message)
        self.refusal = Refusal(code, message)


_MISSING = ("NoSuchKey", "NoSuchBucket", "404")
_DENIED = ("AccessDenied", "403")


class Scripts:
    """Batch scripts in S3, read with the service's own role and from the allowed places only.

    A place is a bucket, or a folder in a bucket: `bucket/folder`.
    """

    def __init__(self, clients: Clients, places: Sequence[str]) -> None:
        self._clients = clients
        self._places = places

    def read(self, uri: str) -> str:
        """The text at `s3://bucket/key`, UTF-8, at most 4 MiB.

        Raises ScriptUnavailableError, ClusterUnreachableError.
        """
        path = uri.removeprefix("s3://")
        if not any(path.startswith(f"{place}/") for place in self._places):
            allowed = ", ".join(f"s3://{place}/" for place in self._places) or "nowhere"
            raise ScriptUnavailableError(
                RefusalCode.FORBIDDEN, f"Scripts may come from {allowed}, not from {uri[:200]}."
            )
        bucket, _, key = path.partition("/")
        body = self._body(bucket, key, uri[:200])
        if len(body) > SCRIPT_LIMIT:
            raise ScriptUnavailableError(RefusalCode.INVALID_INPUT, f"{uri[:200]} has more than {SCRIPT_LIMIT} bytes.")
        try:
            return body.decode()
        except UnicodeDecodeError as error:
            raise ScriptUnavailableError(RefusalCode.INVALID_INPUT, f"{uri[:200]} is not text in UTF-8.") from error

    def _body(self, bucket: str, key: str, uri: str) -> bytes:
        """The object, up to one byte beyond the limit: enough to see that it is too large."""
        try:
            body = repeated(lambda: _read(self._clients.s3, bucket, key, SCRIPT_LIMIT + 1), _SECONDS)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in _MISSING:
                raise ScriptUnavailableError(RefusalCode.NOT_FOUND, f"There is no {uri}.") from error
            if code in _DENIED:  # also for a missing object, if the role may not list the bucket
                message = f"The service may not read {uri}, or there is no such object."
                raise ScriptUnavailableError(RefusalCode.FORBIDDEN, message) from error
            raise ClusterUnreachableError(f"The bucket {bucket} cannot be read: {code}.") from error
        except BotoCoreError as error:
            raise ClusterUnreachableError(f"The bucket {bucket} cannot be read.") from error
        return body
