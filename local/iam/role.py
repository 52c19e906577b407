"""The role of the function as template.yaml gives it, for the names that the local stack uses."""

from collections.abc import Iterable

from local.template import Deployment, read

from .policy import Policy

ACCOUNT = "123456789012"
"""The account that moto's server and the SSM endpoint are."""
FUNCTION = "function"
"""The access key of the function's role. Every other key is an administrator's: tests prepare and look with it."""


def function_policy(
    region: str, clusters: Iterable[str], document: str, bucket: str, table: str, script_buckets: Iterable[str]
) -> Policy:
    """What the deployed function may do."""
    deployment = Deployment(
        read(),
        {
            "AWS::Partition": "aws",
            "AWS::Region": region,
            "AWS::AccountId": ACCOUNT,
            "AWS::StackName": "slurmql",
            "ClusterNames": ",".join(clusters),
            "ScriptPlaces": ",".join(script_buckets),
        },
        names={"Document": document, "LogGroup": "/aws/lambda/slurmql"},
        attributes={
            "Bucket.Arn": f"arn:aws:s3:::{bucket}",
            "Table.Arn": f"arn:aws:dynamodb:{region}:{ACCOUNT}:table/{table}",
        },
    )
    role = deployment.resource("Role") or {}
    return Policy([statement for policy in role["Policies"] for statement in policy["PolicyDocument"]["Statement"]])
