"""A managed node: where its agent works and what it starts scripts with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local.suite.chroot import Chroot

from .protocol import INSTANCE_ID


@dataclass
class Instance:
    """One managed node. `online` and `stopped` may be changed while the endpoint runs.

    id           i- and 8 or 17 characters, or mi- and 17 (a hybrid activation)
    directory    the agent's orchestration root, one directory per command. None: below the endpoint's
    environment  what the agent's systemd unit adds to the scripts' environment, such as SLURM_CONF
    tags         its tags, which policies may ask for (ssm:resourceTag/NAME)
    chroot       where the scripts run, another Slurm's folder; None: on this machine itself
    online       False: the machine runs but its agent is dead, so commands are accepted and never delivered
    stopped      True: the machine is off, so commands are refused with InvalidInstanceId
    """

    id: str
    directory: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    chroot: Chroot | None = None
    online: bool = True
    stopped: bool = False

    def __post_init__(self) -> None:
        if not INSTANCE_ID.match(self.id):
            raise ValueError(f"not an instance id: {self.id!r}")
