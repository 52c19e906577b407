"""Why EC2 started no instance for a node, as ParallelCluster notes it in the node's reason (EC2 API, Error codes)."""

import re

from slurm.reason import token
from slurm.states import DescribedEnum


class CapacityCode(DescribedEnum):
    """Why EC2 started no instance for a node, as ParallelCluster notes it in the node's reason."""

    INSUFFICIENT_INSTANCE_CAPACITY = (
        "INSUFFICIENT_INSTANCE_CAPACITY",
        "EC2 has no such instance free in the zone. ParallelCluster tries again after some minutes; another "
        "instance type, zone or purchase option may start sooner.",
    )
    INSUFFICIENT_HOST_CAPACITY = (
        "INSUFFICIENT_HOST_CAPACITY",
        "EC2 has no such dedicated host free. ParallelCluster tries again after some minutes.",
    )
    INSUFFICIENT_RESERVED_INSTANCE_CAPACITY = (
        "INSUFFICIENT_RESERVED_INSTANCE_CAPACITY",
        "The capacity reservation is used up. The job starts when some of it is free; or choose a queue without it.",
    )
    RESERVATION_CAPACITY_EXCEEDED = (
        "RESERVATION_CAPACITY_EXCEEDED",
        "The capacity reservation has too few instances. The job starts when some of it is free; or choose a queue "
        "without it.",
    )
    INSUFFICIENT_CAPACITY = (
        "INSUFFICIENT_CAPACITY",
        "EC2 has too little capacity at the moment. ParallelCluster tries again after some minutes.",
    )
    LIMITED_INSTANCE_CAPACITY = (
        "LIMITED_INSTANCE_CAPACITY",
        "EC2 gave fewer instances than the job needs, so none were kept. ParallelCluster tries again; fewer nodes "
        "may start sooner.",
    )
    INSUFFICIENT_VOLUME_CAPACITY = (
        "INSUFFICIENT_VOLUME_CAPACITY",
        "EBS has too little capacity for the node's volume in the zone. Try later, or another volume type or zone.",
    )
    INSUFFICIENT_FREE_ADDRESSES_IN_SUBNET = (
        "INSUFFICIENT_FREE_ADDRESSES_IN_SUBNET",
        "The queue's subnet has no free address. The job starts when other nodes stop; an administrator can add a "
        "larger subnet.",
    )
    MAX_SPOT_INSTANCE_COUNT_EXCEEDED = (
        "MAX_SPOT_INSTANCE_COUNT_EXCEEDED",
        "The AWS account's limit of Spot Instances is reached. The job starts when others stop; or ask AWS for a "
        "higher limit.",
    )
    SPOT_MAX_PRICE_TOO_LOW = (
        "SPOT_MAX_PRICE_TOO_LOW",
        "The queue's highest Spot price is below the present price. The job starts when the price falls; or choose an "
        "on-demand queue.",
    )
    UNSUPPORTED = (
        "UNSUPPORTED",
        "The instance type is not offered in the zone or with these settings. Choose another queue, or ask an "
        "administrator.",
    )
    VCPU_LIMIT_EXCEEDED = (
        "VCPU_LIMIT_EXCEEDED",
        "The AWS account's vCPU limit for this kind of instance is reached. The job starts when others stop; or ask "
        "AWS for a higher limit.",
    )
    INSTANCE_LIMIT_EXCEEDED = (
        "INSTANCE_LIMIT_EXCEEDED",
        "The AWS account's limit of such instances is reached. The job starts when others stop; or ask AWS for a "
        "higher limit.",
    )
    VOLUME_LIMIT_EXCEEDED = (
        "VOLUME_LIMIT_EXCEEDED",
        "The AWS account's limit of EBS volumes is reached. The job starts when others are deleted; or ask AWS for a "
        "higher limit.",
    )
    REQUEST_LIMIT_EXCEEDED = (
        "REQUEST_LIMIT_EXCEEDED",
        "EC2 took no more requests from the AWS account at that moment. ParallelCluster tries again.",
    )
    UNAUTHORIZED_OPERATION = (
        "UNAUTHORIZED_OPERATION",
        "The head node may not start such instances. An administrator must correct its IAM policy.",
    )
    UNKNOWN = "UNKNOWN", "A code of EC2 that this API does not know; the node's reason has it."


_CODES = {token(code.value): code for code in CapacityCode}


def capacity_code(node_reason: str) -> CapacityCode | None:
    """The code in `(Code:InsufficientInstanceCapacity)Failure when resuming nodes`; None if the reason has none.

    sinfo: Reason. ParallelCluster writes the code since 3.0 when EC2 gives no instance.
    """
    match = re.match(r"\(Code:\s*(?:Server\.|Client\.)?([^)]*)\)", node_reason)
    return _CODES.get(token(match[1]), CapacityCode.UNKNOWN) if match else None
