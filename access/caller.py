"""Who is calling, and what they are on each cluster."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from access.configuration import Access
from access.identity import Identity, identity
from access.role import JobVisibility, Role
from access.rules import NoAccess


@dataclass(frozen=True)
class Caller:
    """What the caller is on one cluster.

    `account` is the account that they may act as, None if they have none. `role` is None if it depends on whether the
    cluster has that account. With `job_visibility` OWN they see only the jobs of that account.
    """

    identity: str
    account: str | None
    role: Role | None
    job_visibility: JobVisibility = JobVisibility.ALL

    @property
    def cluster_user(self) -> str | None:
        """The account to act as; None for a viewer."""
        return None if self.role is Role.VIEWER else self.account


@dataclass(frozen=True)
class SignedIn:
    """A caller whom an authorizer vouches for, and the rules that decide what they are."""

    identity: Identity
    access: Access

    def on(self, cluster: str) -> Caller | None:
        """What the caller is on a cluster of the deployment; None if they have no access to it."""
        rules = self.access.rules[cluster]
        standing = rules.standing(self.identity)
        if isinstance(standing.role, NoAccess):
            return None
        role = standing.role if standing.role is not Role.USER else None
        if standing.user is None and role is None:
            role = Role.VIEWER
        visibility = JobVisibility.ALL if role is Role.OPERATOR else rules.job_visibility
        return Caller(self.identity.name, standing.user, role, visibility)


def signed_in(event: Mapping[str, Any], access: Access) -> SignedIn | None:
    """The caller whom the authorizer of an API Gateway event vouches for; None if there is none."""
    found = identity(event, access.name_claims, access.group_claims)
    return SignedIn(found, access) if found else None
