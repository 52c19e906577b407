"""What a caller may do, and whose jobs they see."""

from slurm.states import DescribedEnum


class Role(DescribedEnum):
    """What a caller may do; each may do what the ones before it may."""

    VIEWER = "VIEWER", "May read everything except scripts and output, and change nothing."
    USER = (
        "USER",
        "May also submit jobs, act on their own and read their scripts and output, as their account on the cluster.",
    )
    OPERATOR = (
        "OPERATOR",
        "May also act on other people's jobs, and on nodes, queues and reservations, as Slurm's administrator.",
    )


class JobVisibility(DescribedEnum):
    """Whose jobs a caller sees."""

    ALL = "ALL", "Everybody's."
    OWN = "OWN", "Those of their own account on the cluster, and no others."
