"""One request to one cluster: who asks, within which bounds."""

from dataclasses import dataclass

from access.caller import Caller
from access.role import Role
from headnode.deadline import Deadline
from headnode.node import Actor


@dataclass(frozen=True)
class ClusterRequest:
    """Until when to answer, how SSM's history is to call it, the largest page, and who asks, on this cluster."""

    deadline: Deadline
    comment: str
    page_limit: int
    caller: Caller

    @property
    def actor(self) -> Actor:
        """Who the head node acts as for the caller."""
        return Actor(self.caller.cluster_user, administer=self.caller.role is Role.OPERATOR)
