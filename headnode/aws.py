"""The AWS clients; each is made once."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from headnode.aws_calls import CONNECT, READ, Bounded
from headnode.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_ssm import SSMClient


_CONNECTIONS = 50


class Clients:
    """SSM, EC2, S3 and DynamoDB. The sandbox's own role and Region; AWS_ENDPOINT_URL_* moves them elsewhere.

    Every call ends in the time that its request has left (headnode/aws_calls.py). botocore repeats no
    call: our code repeats those that may be, because SendCommand has no idempotency token.
    """

    def __init__(self) -> None:
        self._session = boto3.Session()
        self._lock = Lock()  # making a client is not thread-safe, using one is
        self._made: dict[str, Any] = {}
        Bounded(_CONNECTIONS).register(self._session)

    def make(self, settings: Settings) -> None:
        """Make the clients that the deployment uses: while a sandbox starts, Lambda gives it a whole processor."""
        wanted = {"ssm": True, "ec2": True, "s3": settings.bucket, "dynamodb": settings.table}
        for service in [service for service, used in wanted.items() if used]:
            getattr(self, service)

    @property
    def ssm(self) -> SSMClient:
        """Systems Manager."""
        client: SSMClient = self._client("ssm")
        return client

    @property
    def ec2(self) -> EC2Client:
        """EC2, to find head nodes by their tags."""
        client: EC2Client = self._client("ec2")
        return client

    @property
    def s3(self) -> S3Client:
        """S3 with signature version 4 and the Region's own host, NAME.s3.REGION.amazonaws.com.

        The head node may send large answers to that host only. The global host redirects while a bucket is new.
        """
        client: S3Client = self._client(
            "s3",
            signature_version="s3v4",
            s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
        )
        return client

    @property
    def dynamodb(self) -> DynamoDBClient:
        """DynamoDB."""
        client: DynamoDBClient = self._client("dynamodb")
        return client

    def _client(self, service: str, **options: Any) -> Any:
        """The one client of the service; several threads may ask for it at once."""
        with self._lock:
            if service not in self._made:
                config = Config(
                    retries={"total_max_attempts": 1},
                    connect_timeout=CONNECT,
                    read_timeout=READ,
                    max_pool_connections=_CONNECTIONS,
                    **options,
                )
                self._made[service] = self._session.client(service, config=config)
            return self._made[service]
