"""What a deployment may choose. The SSM document carries its choice; a request cannot change it."""

from typing import Any, Dict

SETTINGS: "Dict[str, Any]" = {
    "reader": "nobody",  # reads run as this account
    "administrator": "slurm",  # an operator's administrative actions run as this account: SlurmUser
    "denied": ["root", "slurm", "munge", "slurmdbd", "pcluster-admin", "nobody"],  # never act as these
    "lowest_uid": 1000,
    "state": "/var/lib/slurmql",  # idempotency keys
    "bucket": [],  # what the URLs of large requests and answers begin with, as https://NAME.s3.REGION.amazonaws.com/
    "path": "/opt/slurm/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
}
