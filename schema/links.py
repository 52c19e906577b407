"""Types that refer to each other, by module name, because imports would form a circle."""

from typing import TYPE_CHECKING, Annotated

import strawberry

if TYPE_CHECKING:
    from schema.cluster import Cluster
    from schema.facts import Account, Association, FairShare
    from schema.job import Job
    from schema.node import Node
    from schema.queue import Queue

AccountLink = Annotated["Account", strawberry.lazy("schema.facts")]
AssociationLink = Annotated["Association", strawberry.lazy("schema.facts")]
ClusterLink = Annotated["Cluster", strawberry.lazy("schema.cluster")]
FairShareLink = Annotated["FairShare", strawberry.lazy("schema.facts")]
JobLink = Annotated["Job", strawberry.lazy("schema.job")]
NodeLink = Annotated["Node", strawberry.lazy("schema.node")]
QueueLink = Annotated["Queue", strawberry.lazy("schema.queue")]
