"""EC2 instances, and the head node."""

from datetime import datetime

import strawberry

from resolvers import head_instance
from schema.types_from_tables import made_from

INSTANCE = (
    "The EC2 instance behind the node, found by its private address; null if the node is powered down or is not an EC2 "
    "instance of this cluster. EC2: DescribeInstances."
)


@made_from(head_instance.Instance)
class Instance:
    """An EC2 instance of the cluster. EC2: DescribeInstances."""

    id: strawberry.ID = strawberry.field(description="EC2's id, as `i-0123456789abcdef0`.")
    type: str = strawberry.field(description="The instance type, as `c5.xlarge`.")
    state: str = strawberry.field(description="EC2's word: pending, running, stopping, stopped or shutting-down.")
    launch_time: datetime = strawberry.field(description="When it was launched.")
    zone: str | None = strawberry.field(description="Its availability zone.")
    spot: bool = strawberry.field(description="Whether it is a spot instance, which EC2 may reclaim.")
    private_address: str | None = strawberry.field(description="Its private IPv4 address.")


@made_from(head_instance.Agent)
class Agent:
    """The head node's SSM agent, through which this API reaches the cluster. SSM: DescribeInstanceInformation."""

    ping_status: str = strawberry.field(description="Systems Manager's word: Online, ConnectionLost or Inactive.")
    version: str | None = strawberry.field(
        description="The agent's version. Agents before 3.3.3572 may deliver results late."
    )
    last_ping: datetime | None = strawberry.field(description="When the agent last reported.")
    platform: str | None = strawberry.field(description="The head node's operating system and its version.")


@made_from(head_instance.HeadInstance)
class Head:
    """The head node of a cluster."""

    instance_id: strawberry.ID = strawberry.field(description="Its id: `i-...`, or `mi-...` for a hybrid node.")
    agent: Agent | None = strawberry.field(description="Its SSM agent. SSM: DescribeInstanceInformation.")
    instance: Instance | None = strawberry.field(description="Its EC2 instance; null for a hybrid node.")
