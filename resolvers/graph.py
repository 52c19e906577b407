"""One request: who asks, until when, and the clusters as this request sees them."""

import asyncio
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from access.caller import Caller
from access.role import Role
from headnode.deadline import Deadline
from headnode.settings import Settings
from headnode.snapshots import Dataset, Snapshots
from resolvers import datasets, plan
from resolvers.cluster import Cluster
from resolvers.errors import BadInputError, NotFoundError, UnauthenticatedError
from resolvers.request import Limits, Request


class Graph:
    """One request: who asks, until when, and the clusters as this request sees them."""

    def __init__(
        self,
        clusters: Mapping[str, Snapshots],
        settings: Settings,
        caller: Caller | None,
        deadline: Deadline,
        request_id: str,
    ) -> None:
        self.limits = Limits(settings.cost_limit, settings.depth_limit)
        self.request = Request(deadline, f"slurmql {request_id}", settings.page_limit, caller)
        self._clusters = clusters
        self._default = settings.default_cluster
        self._views: dict[str, Cluster] = {}
        self._fetched: asyncio.Task[None] | None = None

    @property
    def caller(self) -> Caller:
        """Who asks. Raises UnauthenticatedError if nobody vouches for them."""
        if self.request.caller is None:
            raise UnauthenticatedError("Sign in: the request carries no identity that the gateway vouches for.")
        return self.request.caller

    @property
    def cluster_names(self) -> list[str]:
        """The configured clusters."""
        return list(self._clusters)

    def cluster(self, name: str | None) -> Cluster:
        """The view of the named cluster, else of the default one. Raises NotFoundError, BadInputError."""
        chosen = name or self._default
        if chosen is None:
            raise BadInputError(f"Name a cluster: {', '.join(self._clusters)}.", argument="cluster")
        if chosen not in self._clusters:
            raise NotFoundError(
                f"There is no cluster {chosen[:60]!r}; there is {', '.join(self._clusters)}.", argument="cluster"
            )
        if chosen not in self._views:
            self._views[chosen] = Cluster(chosen, self._clusters[chosen], self.request)
        return self._views[chosen]

    def fresh_view(self, name: str | None) -> Cluster:
        """A view that shares nothing with others: what a change answers with."""
        known = self.cluster(name)
        return Cluster(known.name, known.snapshots, self.request)

    async def fetch(self, info: plan.ResolveInfo) -> None:
        """Fetch what the whole operation needs; the first root field does it, the others wait for the same."""
        if self._fetched is None:
            self._fetched = asyncio.ensure_future(asyncio.to_thread(self._fetch, info))
        await self._fetched

    def _fetch(self, info: plan.ResolveInfo) -> None:
        query = info.schema.query_type
        if query is None or self.request.caller is None:
            return
        wanted: dict[str, list[plan.Selected]] = {}
        for name, selected in plan.plan(info, info.operation.selection_set, query).items():
            for cluster in self._clusters if name == plan.ALL_CLUSTERS else [name or self._default or ""]:
                if cluster in self._clusters:  # the field itself tells of a cluster that is not
                    wanted.setdefault(cluster, []).extend(selected)
        views = [(self.cluster(name), selected) for name, selected in wanted.items()]
        if len(views) == 1:
            self._fill(*views[0])
        elif views:
            with ThreadPoolExecutor(len(views)) as pool:
                list(pool.map(lambda pair: self._fill(*pair), views))

    def _fill(self, view: Cluster, selected: Iterable[plan.Selected]) -> None:
        if wanted := self.wanted(view, selected):
            view.ask(wanted)

    def wanted(self, view: Cluster, selected: Iterable[plan.Selected]) -> list[Dataset[Any]]:
        """The datasets that the selected fields need, each once."""
        needed = (each.need(view, self.caller, each.arguments) for each in selected)
        return list(dict.fromkeys(dataset for needs in needed for dataset in needs))

    def default_role(self) -> Role:
        """What the caller may do on the default cluster; whoever has an account there is a USER."""
        caller = self.caller
        if caller.role is not None:
            return caller.role
        if caller.cluster_user is None:
            return Role.VIEWER
        has_account = self.cluster(None).read(datasets.account(caller.cluster_user)).value
        return Role.USER if has_account else Role.VIEWER
