"""Types that refer to each other, by module name, because imports would form a circle."""

from typing import TYPE_CHECKING, Annotated

import strawberry

if TYPE_CHECKING:
    from schema.cluster import Cluster
    from schema.job import Job
    from schema.node import Node
    from schema.queue import Queue

ClusterLink = Annotated["Cluster", strawberry.lazy("schema.cluster")]
JobLink = Annotated["Job", strawberry.lazy("schema.job")]
NodeLink = Annotated["Node", strawberry.lazy("schema.node")]
QueueLink = Annotated["Queue", strawberry.lazy("schema.queue")]
