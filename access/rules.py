"""Rules that decide which user of a cluster a caller is, in which role, and whose jobs they see."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property

from access.identity import Identity
from access.role import JobVisibility, Role

ACCOUNT = re.compile(r"[a-z_][a-z0-9_.-]{0,63}")
"""What an account may be called, as on the head node: lower case only; upper case is refused, not converted."""

SYSTEM_ACCOUNTS = frozenset({"root", "slurm", "munge", "slurmdbd", "pcluster-admin", "nobody"})
"""Accounts that no caller gets, whatever is configured; the head node refuses them, too."""

IMAGE_ACCOUNTS = frozenset({"admin", "centos", "ec2-user", "rocky", "ubuntu"})
"""The machine images' own accounts: root by sudo, and Slurm administrators where ParallelCluster has accounting."""


class NoAccess(Enum):
    """Takes the place of a role for those without access."""

    NONE = "NONE"


RoleOrNone = Role | NoAccess


@dataclass(frozen=True)
class Standing:
    """What a caller is: the account (None: no account) and the role (None: their groups decide)."""

    user: str | None
    role: RoleOrNone | None


@dataclass(frozen=True)
class Rule:
    """The standing of the identities that match a pattern.

    In the pattern `*` stands for any text without `/` and `:`, and `{user}` for the name of an account, which
    replaces `{user}` in the standing. A pattern that begins with `arn:` matches IAM principals only, because the users
    of a user pool can choose such a name.
    """

    pattern: str
    standing: Standing

    def about(self, identity: Identity) -> Standing | None:
        """The identity's standing; None if it does not match the rule."""
        if not identity.is_named or identity.is_arn != self.pattern.startswith("arn:"):
            return None
        found = self._expression.fullmatch(identity.name)
        if found is None:
            return None
        return replace(self.standing, user=found["user"]) if self.standing.user == "{user}" else self.standing

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        parts = {"{user}": f"(?P<user>{ACCOUNT.pattern})", "*": "[^/:]*"}
        return re.compile(
            "".join(parts.get(each) or re.escape(each) for each in re.split(r"(\{user\}|\*)", self.pattern))
        )


@dataclass(frozen=True)
class Rules:
    """The rules of a cluster. The first of `users` that matches counts; `others` is for callers whom none matches.

    `others.user` may be `{identity}`. `others.role` is for callers who are in none of `groups` either. `denied` are
    accounts that no caller gets.
    """

    users: Sequence[Rule]
    groups: Mapping[str, Role]
    others: Standing
    job_visibility: JobVisibility
    denied: frozenset[str]

    def standing(self, identity: Identity) -> Standing:
        """The account, or None if the caller has none to act as, and the role: the highest of their groups."""
        found = next((standing for rule in self.users if (standing := rule.about(identity))), None)
        standing = found or self.others
        by_group = [self.groups[group] for group in identity.groups if group in self.groups]
        role: RoleOrNone | None = found.role if found else None
        if role is None and by_group:
            role = max(by_group, key=list(Role).index)
        return Standing(self._account(standing.user, identity), role or (Role.USER if found else self.others.role))

    def _account(self, user: str | None, identity: Identity) -> str | None:
        name = identity.name if user == "{identity}" else user
        if name is None or not identity.is_named or name in self.denied or not ACCOUNT.fullmatch(name):
            return None
        return name
