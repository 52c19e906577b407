"""What `make run` and the tests run on: real Slurm clusters, an SSM endpoint, and the rest of AWS."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import boto3

from headnode import document
from local.aws import BUCKET, CREDENTIALS, REGION, SCRIPTS, TABLE, Aws, head_node_tags
from local.cluster import Cluster
from local.iam import FUNCTION, function_policy
from local.ssm import Endpoint, Faults, Instance

DOCUMENT = "slurmql"


class Stack:
    """Clusters and the local AWS endpoints that know their head nodes; a context manager.

    `environment` holds the Lambda's variables: its settings, the endpoints' addresses and the function's access key.
    `policies` say what each access key may do; the function's may do what the role in template.yaml may do.
    """

    def __init__(
        self,
        directory: Path,
        clusters: Sequence[Cluster],
        faults: Faults | None = None,
        progress: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.directory = directory
        self.clusters = {cluster.name: cluster for cluster in clusters}
        self.policies = {FUNCTION: function_policy(REGION, self.clusters, DOCUMENT, BUCKET, TABLE, [SCRIPTS])}
        self.aws = Aws(directory / "moto.log", self.policies)
        self._faults = faults
        self._progress = progress
        self._held = ExitStack()

    def __enter__(self) -> Self:
        self.directory.mkdir(parents=True, exist_ok=True)
        with ExitStack() as held, ThreadPoolExecutor(1) as pool:
            for chroot in {cluster.programs.chroot for cluster in self.clusters.values()}:
                if chroot is not None:
                    held.enter_context(chroot.shown(self.directory))
            self._progress("starting moto's server: EC2 tags, S3, DynamoDB")
            aws = pool.submit(held.enter_context, self.aws)
            for cluster in self.clusters.values():
                held.callback(cluster.stop)
                cluster.start(self._progress)
            aws.result()
            self._progress("starting the SSM endpoint")
            self.ssm = held.enter_context(self._endpoint())
            self._create_document()
            self._held = held.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    @property
    def demo_user(self) -> str:
        """The first demo user. Clusters that root starts have two; an ordinary user's cluster has only that user."""
        return next(iter(self.clusters.values())).users[0].name

    @property
    def environment(self) -> dict[str, str]:
        """The Lambda's variables."""
        return {
            **CREDENTIALS,
            "AWS_ACCESS_KEY_ID": FUNCTION,
            "AWS_ENDPOINT_URL_SSM": self.ssm.url,
            "AWS_ENDPOINT_URL_EC2": self.aws.url,
            "AWS_ENDPOINT_URL_S3": self.aws.url,
            "AWS_ENDPOINT_URL_DYNAMODB": self.aws.url,
            "SLURMQL_CLUSTERS": json.dumps({name: {} for name in self.clusters}),
            "SLURMQL_DEFAULT_CLUSTER": next(iter(self.clusters)),
            "SLURMQL_DOCUMENT": DOCUMENT,
            "SLURMQL_BUCKET": BUCKET,
            "SLURMQL_TABLE": TABLE,
            "SLURMQL_SCRIPT_BUCKETS": SCRIPTS,
            # The local endpoint answers within milliseconds; AWS takes at least a quarter of a second.
            "SLURMQL_FIRST_LOOK": "0.03",
            "SLURMQL_LOOK_INTERVAL": "0.02",
        }

    def ssm_client(self) -> Any:
        """A boto3 client of the SSM endpoint."""
        return boto3.client(
            "ssm",
            endpoint_url=self.ssm.url,
            region_name=REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - not a secret: nothing checks it
        )

    def _endpoint(self) -> Endpoint:
        instances = [
            Instance(
                self.aws.head_node(name),
                environment=self._agent_environment(cluster.environment),
                tags=head_node_tags(name),
                chroot=cluster.programs.chroot,
            )
            for name, cluster in self.clusters.items()
        ]
        return Endpoint(
            instances,
            self._faults,
            s3_endpoint=self.aws.url,
            directory=self.directory / "ssm",
            region=REGION,
            policies=self.policies,
        )

    def _agent_environment(self, environment: Mapping[str, str]) -> dict[str, str]:
        return dict(environment)

    def _create_document(self) -> None:
        settings: dict[str, Any] = {
            "state": str(self.directory / "state"),
            "bucket": [f"{self.aws.url}/{BUCKET}/"],
        }
        if os.geteuid() != 0:
            settings["denied"] = ["root"]
        self.document = document.content(settings)
        self.ssm_client().create_document(Name=DOCUMENT, Content=json.dumps(self.document), DocumentType="Command")
