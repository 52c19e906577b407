"""The bucket for what is too large for SSM: answers over 24,000 bytes, requests over the document's limit."""

import hashlib
import secrets

from botocore.exceptions import BotoCoreError, ClientError

from headnode.aws import Clients
from headnode.errors import ClusterUnreachableError

_URL_SECONDS = 120  # a presigned URL is a secret that lies in SSM's history: it is good for one object, briefly


class Storage:
    """Objects that a request and its answer pass through; the head node reaches them by presigned URLs only."""

    def __init__(self, clients: Clients, bucket: str) -> None:
        self._clients = clients
        self._bucket = bucket

    def new_key(self, kind: str) -> str:
        """A key that nobody can guess: `answers/...` or `requests/...`; the bucket forgets them after a day."""
        return f"{kind}/{secrets.token_hex(16)}"

    def put_url(self, key: str) -> str:
        """A URL that takes one PUT of the object."""
        return self._presign("put_object", key)

    def get_url(self, key: str) -> str:
        """A URL that gives the object."""
        return self._presign("get_object", key)

    def put(self, key: str, body: bytes) -> None:
        """Store the object."""
        try:
            self._clients.s3.put_object(Bucket=self._bucket, Key=key, Body=body)
        except (BotoCoreError, ClientError) as error:
            raise ClusterUnreachableError("The bucket for large requests cannot be written.") from error

    def get(self, key: str, sha256: str) -> bytes:
        """The object, if it is the one with that digest (hexadecimal SHA-256)."""
        try:
            body = self._clients.s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except (BotoCoreError, ClientError) as error:
            raise ClusterUnreachableError("The bucket for large answers cannot be read.") from error
        if hashlib.sha256(body).hexdigest() != sha256:
            raise ClusterUnreachableError("The answer in the bucket is not the one that the head node announced.")
        return body

    def delete(self, key: str) -> None:
        """Remove the object; one that stays is forgotten after a day."""
        try:
            self._clients.s3.delete_object(Bucket=self._bucket, Key=key)
        except (BotoCoreError, ClientError):
            return

    def _presign(self, operation: str, key: str) -> str:
        return self._clients.s3.generate_presigned_url(
            operation, Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=_URL_SECONDS
        )
