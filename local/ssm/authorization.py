"""Checks callers' policies as Systems Manager does with IAM.

Source: the service authorization reference of Systems Manager. Signatures are not verified; the access key is trusted.
"""

from collections.abc import Iterator, Mapping, Sequence

from local.iam import ACCOUNT, Policy

from .instance import Instance
from .protocol import ApiError, Json

# Including operations that the endpoint lacks, because a caller's policy is checked first.
_OF_DOCUMENTS = {
    "CreateDocument",
    "DeleteDocument",
    "DescribeDocument",
    "GetDocument",
    "UpdateDocument",
    "UpdateDocumentDefaultVersion",
}


class Authorization:
    """The policies by access key. A caller without a policy is an administrator, who may do anything."""

    def __init__(self, policies: Mapping[str, Policy], instances: Sequence[Instance], region: str) -> None:
        self._policies = policies
        self._instances = instances
        self._region = region

    def check(self, caller: str, operation: str, request: Json) -> None:
        """Raise AccessDeniedException, in AWS's words, if the caller may not do this."""
        policy = self._policies.get(caller)
        if policy is None:
            return
        action = f"ssm:{operation}"
        for resource, context in self._resources(operation, request):
            if not policy.allows(action, resource, {**context, "aws:RequestedRegion": self._region}):
                raise ApiError(
                    "AccessDeniedException",
                    f"User: {caller} is not authorized to perform: {action} on resource: {resource} "
                    f"because no identity-based policy allows the {action} action",
                )

    def _resources(self, operation: str, request: Json) -> Iterator[tuple[str, Mapping[str, str]]]:
        """The resources of the operation with their tags; SendCommand needs the document and every node."""
        if operation in _OF_DOCUMENTS:
            yield self._document(str(request.get("Name", ""))), {}
        elif operation == "SendCommand":
            yield self._document(str(request["DocumentName"])), {}
            targets = [value for each in request.get("Targets") or [] for value in each.get("Values") or []]
            for instance in [*(request.get("InstanceIds") or []), *targets]:
                yield self._node(str(instance)), self._tags(str(instance))
        elif operation == "GetConnectionStatus":
            yield self._node(str(request["Target"])), self._tags(str(request["Target"]))
        else:
            yield "*", {}

    def _document(self, name: str) -> str:
        if name.startswith("arn:"):
            return name
        account = "" if name.startswith("AWS-") else ACCOUNT  # Amazon's own documents belong to no account
        return f"arn:aws:ssm:{self._region}:{account}:document/{name}"

    def _node(self, instance: str) -> str:
        if instance.startswith("mi-"):
            return f"arn:aws:ssm:{self._region}:{ACCOUNT}:managed-instance/{instance}"
        return f"arn:aws:ec2:{self._region}:{ACCOUNT}:instance/{instance}"

    def _tags(self, instance: str) -> dict[str, str]:
        tags = next((each.tags for each in self._instances if each.id == instance), {})
        return {f"ssm:resourceTag/{name}": value for name, value in tags.items()}
