"""The settings of a deployment. The SSM document carries them; a request cannot change them."""

from typing import Any, Dict

SETTINGS: "Dict[str, Any]" = {
    "reader": "nobody",  # reads run as this account
    "administrator": "slurm",  # an operator's administrative actions run as this account: SlurmUser
    "denied": ["root", "slurm", "munge", "slurmdbd", "pcluster-admin", "nobody"],  # never act as these
    "lowest_uid": 1000,
    "state": "/var/lib/slurmql",  # idempotency keys
    "bucket": [],  # prefixes of the URLs of large requests and answers, such as https://NAME.s3.REGION.amazonaws.com/
    "path": "/opt/slurm/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
}
