"""One request to one cluster: who asks, within which bounds."""

from dataclasses import dataclass

from access.caller import Caller
from access.role import Role
from headnode.deadline import Deadline
from headnode.node import Actor


@dataclass(frozen=True)
class ClusterRequest:
    """The deadline, the comment in SSM's history, the largest page, and the caller on this cluster."""

    deadline: Deadline
    comment: str
    page_limit: int
    caller: Caller

    @property
    def actor(self) -> Actor:
        """The account that the head node acts as for the caller."""
        return Actor(self.caller.cluster_user, administer=self.caller.role is Role.OPERATOR)
