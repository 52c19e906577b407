"""The AWS clients, made when first needed and kept."""

from __future__ import annotations

from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_ssm import SSMClient


class Clients:
    """SSM, EC2 and S3. The sandbox's own role and Region; AWS_ENDPOINT_URL_* moves them to local endpoints."""

    def __init__(self) -> None:
        self._session = boto3.Session()
        self._lock = RLock()  # making a client is not thread-safe, using one is

    @cached_property
    def ssm(self) -> SSMClient:
        """Systems Manager, one attempt per call: SendCommand has no idempotency token, so we retry knowingly."""
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=3, read_timeout=10, max_pool_connections=50)
        with self._lock:
            client: SSMClient = self._session.client("ssm", config=config)
        return client

    @cached_property
    def ec2(self) -> EC2Client:
        """EC2, to find head nodes by their tags."""
        with self._lock:
            client: EC2Client = self._session.client("ec2", config=Config(connect_timeout=3, read_timeout=10))
        return client

    @cached_property
    def s3(self) -> S3Client:
        """S3 with signature version 4 and the regional host, so that presigned URLs need no redirect."""
        with self._lock:
            client: S3Client = self._session.client(
                "s3", config=Config(signature_version="s3v4", max_pool_connections=50)
            )
        return client
