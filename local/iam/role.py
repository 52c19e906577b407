"""The function's role from template.yaml, for the names that the local stack uses."""

from collections.abc import Iterable

from local.template import Deployment, read

from .policy import Policy

ACCOUNT = "123456789012"
"""The AWS account of moto's server and of the SSM endpoint."""
FUNCTION = "function"
"""The access key of the function's role. All other keys are administrators', for the set-up and checks of tests."""


def function_policy(
    region: str, clusters: Iterable[str], document: str, bucket: str, table: str, script_buckets: Iterable[str]
) -> Policy:
    """The policy of the deployed function."""
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
