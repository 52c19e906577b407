"""A managed node: where its agent keeps scripts and how it runs them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local.suite.chroot import Chroot

from .protocol import INSTANCE_ID


@dataclass
class Instance:
    """One managed node. `online` and `stopped` may be changed while the endpoint runs.

    id           i- and 8 or 17 characters, or mi- and 17 (a hybrid activation)
    directory    the agent's orchestration folder, with one folder per command. None: a folder in the endpoint's
    environment  variables that the agent's systemd unit adds for the scripts, such as SLURM_CONF
    tags         its tags, for conditions of policies (ssm:resourceTag/NAME)
    chroot       the folder of another Slurm version, where the scripts run; None: on this machine itself
    online       False: the machine runs but its agent is dead; commands are accepted and never delivered
    stopped      True: the machine is off; commands are refused with InvalidInstanceId
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
