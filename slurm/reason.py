"""Why a job waits, or why it ended: Slurm's codes, and a sentence for people (squeue(1), JOB REASON CODES).

https://slurm.schedmd.com/job_reason_codes.html
"""

import re

from slurm.limit import (
    ACCOUNT,
    QOS,
    ahead,
    in_use,
    running,
    share,
    spent,
    submitted,
    too_little,
    too_long,
    too_many_minutes,
    too_much,
    too_much_per_node,
)
from slurm.states import DescribedEnum, JobState

BUFFER, BILLING, CPUS, ENERGY, GRES = (
    "burst buffer space",
    "billing units",
    "CPUs",
    "energy",
    "GPUs (generic resources)",
)
LICENSE, MEMORY, NODES, OTHER = "licenses", "memory", "nodes", "a resource that Slurm does not name"
THE_ACCOUNTS, THE_QOS, YOUR = "The account's", "The QOS's", "Your"


class ReasonCode(DescribedEnum):
    """Why a job waits or failed: Slurm's words from 20.11 to 26.05, each with what it means and what can be done."""

    ACCOUNTING_POLICY = (
        "ACCOUNTING_POLICY",
        "A limit of its account or QOS holds it; Slurm does not say which. Ask an administrator.",
    )
    ACCOUNT_NOT_ALLOWED = (
        "ACCOUNT_NOT_ALLOWED",
        "The queue does not take jobs of its account or group. Choose another queue or account.",
    )
    ASSOCIATION_JOB_LIMIT = "ASSOCIATION_JOB_LIMIT", running(THE_ACCOUNTS)
    ASSOCIATION_RESOURCE_LIMIT = "ASSOCIATION_RESOURCE_LIMIT", in_use(ACCOUNT, "some resource")
    ASSOCIATION_TIME_LIMIT = "ASSOCIATION_TIME_LIMIT", spent(ACCOUNT, "running time")
    ASSOC_GRP_BB = "ASSOC_GRP_BB", in_use(ACCOUNT, BUFFER)
    ASSOC_GRP_BB_MINUTES = "ASSOC_GRP_BB_MINUTES", spent(ACCOUNT, "burst buffer minutes")
    ASSOC_GRP_BB_RUN_MINUTES = "ASSOC_GRP_BB_RUN_MINUTES", ahead(THE_ACCOUNTS, "burst buffer")
    ASSOC_GRP_BILLING = "ASSOC_GRP_BILLING", in_use(ACCOUNT, BILLING)
    ASSOC_GRP_BILLING_MINUTES = "ASSOC_GRP_BILLING_MINUTES", spent(ACCOUNT, "billing minutes")
    ASSOC_GRP_BILLING_RUN_MINUTES = "ASSOC_GRP_BILLING_RUN_MINUTES", ahead(THE_ACCOUNTS, "billing")
    ASSOC_GRP_CPU_LIMIT = "ASSOC_GRP_CPU_LIMIT", in_use(ACCOUNT, CPUS)
    ASSOC_GRP_CPU_MINUTES_LIMIT = "ASSOC_GRP_CPU_MINUTES_LIMIT", spent(ACCOUNT, "CPU minutes")
    ASSOC_GRP_CPU_RUN_MINUTES_LIMIT = "ASSOC_GRP_CPU_RUN_MINUTES_LIMIT", ahead(THE_ACCOUNTS, "CPU")
    ASSOC_GRP_ENERGY = "ASSOC_GRP_ENERGY", in_use(ACCOUNT, ENERGY)
    ASSOC_GRP_ENERGY_MINUTES = "ASSOC_GRP_ENERGY_MINUTES", spent(ACCOUNT, "energy minutes")
    ASSOC_GRP_ENERGY_RUN_MINUTES = "ASSOC_GRP_ENERGY_RUN_MINUTES", ahead(THE_ACCOUNTS, "energy")
    ASSOC_GRP_GRES = "ASSOC_GRP_GRES", in_use(ACCOUNT, GRES)
    ASSOC_GRP_GRES_MINUTES = "ASSOC_GRP_GRES_MINUTES", spent(ACCOUNT, "generic resource minutes")
    ASSOC_GRP_GRES_RUN_MINUTES = "ASSOC_GRP_GRES_RUN_MINUTES", ahead(THE_ACCOUNTS, "generic resource")
    ASSOC_GRP_JOBS_LIMIT = "ASSOC_GRP_JOBS_LIMIT", running(THE_ACCOUNTS)
    ASSOC_GRP_LICENSE = "ASSOC_GRP_LICENSE", in_use(ACCOUNT, LICENSE)
    ASSOC_GRP_LICENSE_MINUTES = "ASSOC_GRP_LICENSE_MINUTES", spent(ACCOUNT, "license minutes")
    ASSOC_GRP_LICENSE_RUN_MINUTES = "ASSOC_GRP_LICENSE_RUN_MINUTES", ahead(THE_ACCOUNTS, "license")
    ASSOC_GRP_MEM_LIMIT = "ASSOC_GRP_MEM_LIMIT", in_use(ACCOUNT, MEMORY)
    ASSOC_GRP_MEM_MINUTES = "ASSOC_GRP_MEM_MINUTES", spent(ACCOUNT, "memory minutes")
    ASSOC_GRP_MEM_RUN_MINUTES = "ASSOC_GRP_MEM_RUN_MINUTES", ahead(THE_ACCOUNTS, "memory")
    ASSOC_GRP_NODE_LIMIT = "ASSOC_GRP_NODE_LIMIT", in_use(ACCOUNT, NODES)
    ASSOC_GRP_NODE_MINUTES = "ASSOC_GRP_NODE_MINUTES", spent(ACCOUNT, "node minutes")
    ASSOC_GRP_NODE_RUN_MINUTES = "ASSOC_GRP_NODE_RUN_MINUTES", ahead(THE_ACCOUNTS, "node")
    ASSOC_GRP_SUBMIT_JOBS_LIMIT = "ASSOC_GRP_SUBMIT_JOBS_LIMIT", submitted(THE_ACCOUNTS)
    ASSOC_GRP_UNKNOWN = "ASSOC_GRP_UNKNOWN", in_use(ACCOUNT, OTHER)
    ASSOC_GRP_UNKNOWN_MINUTES = "ASSOC_GRP_UNKNOWN_MINUTES", spent(ACCOUNT, "resource minutes")
    ASSOC_GRP_UNKNOWN_RUN_MINUTES = "ASSOC_GRP_UNKNOWN_RUN_MINUTES", ahead(THE_ACCOUNTS, "resource")
    ASSOC_GRP_WALL_LIMIT = "ASSOC_GRP_WALL_LIMIT", spent(ACCOUNT, "running time")
    ASSOC_MAX_BB_MINUTES_PER_JOB = "ASSOC_MAX_BB_MINUTES_PER_JOB", too_many_minutes(ACCOUNT, "burst buffer")
    ASSOC_MAX_BB_PER_JOB = "ASSOC_MAX_BB_PER_JOB", too_much(ACCOUNT, BUFFER)
    ASSOC_MAX_BB_PER_NODE = "ASSOC_MAX_BB_PER_NODE", too_much_per_node(ACCOUNT, BUFFER)
    ASSOC_MAX_BILLING_MINUTES_PER_JOB = "ASSOC_MAX_BILLING_MINUTES_PER_JOB", too_many_minutes(ACCOUNT, "billing")
    ASSOC_MAX_BILLING_PER_JOB = "ASSOC_MAX_BILLING_PER_JOB", too_much(ACCOUNT, BILLING)
    ASSOC_MAX_BILLING_PER_NODE = "ASSOC_MAX_BILLING_PER_NODE", too_much_per_node(ACCOUNT, BILLING)
    ASSOC_MAX_CPU_MINUTES_PER_JOB_LIMIT = "ASSOC_MAX_CPU_MINUTES_PER_JOB_LIMIT", too_many_minutes(ACCOUNT, "CPU")
    ASSOC_MAX_CPU_PER_JOB_LIMIT = "ASSOC_MAX_CPU_PER_JOB_LIMIT", too_much(ACCOUNT, CPUS)
    ASSOC_MAX_CPU_PER_NODE = "ASSOC_MAX_CPU_PER_NODE", too_much_per_node(ACCOUNT, CPUS)
    ASSOC_MAX_ENERGY_MINUTES_PER_JOB = "ASSOC_MAX_ENERGY_MINUTES_PER_JOB", too_many_minutes(ACCOUNT, "energy")
    ASSOC_MAX_ENERGY_PER_JOB = "ASSOC_MAX_ENERGY_PER_JOB", too_much(ACCOUNT, ENERGY)
    ASSOC_MAX_ENERGY_PER_NODE = "ASSOC_MAX_ENERGY_PER_NODE", too_much_per_node(ACCOUNT, ENERGY)
    ASSOC_MAX_GRES_MINUTES_PER_JOB = "ASSOC_MAX_GRES_MINUTES_PER_JOB", too_many_minutes(ACCOUNT, "generic resource")
    ASSOC_MAX_GRES_PER_JOB = "ASSOC_MAX_GRES_PER_JOB", too_much(ACCOUNT, GRES)
    ASSOC_MAX_GRES_PER_NODE = "ASSOC_MAX_GRES_PER_NODE", too_much_per_node(ACCOUNT, GRES)
    ASSOC_MAX_JOBS_LIMIT = "ASSOC_MAX_JOBS_LIMIT", running("In the account your")
    ASSOC_MAX_LICENSE_MINUTES_PER_JOB = "ASSOC_MAX_LICENSE_MINUTES_PER_JOB", too_many_minutes(ACCOUNT, "license")
    ASSOC_MAX_LICENSE_PER_JOB = "ASSOC_MAX_LICENSE_PER_JOB", too_much(ACCOUNT, LICENSE)
    ASSOC_MAX_MEM_MINUTES_PER_JOB = "ASSOC_MAX_MEM_MINUTES_PER_JOB", too_many_minutes(ACCOUNT, "memory")
    ASSOC_MAX_MEM_PER_JOB = "ASSOC_MAX_MEM_PER_JOB", too_much(ACCOUNT, MEMORY)
    ASSOC_MAX_MEM_PER_NODE = "ASSOC_MAX_MEM_PER_NODE", too_much_per_node(ACCOUNT, MEMORY)
    ASSOC_MAX_NODE_MINUTES_PER_JOB = "ASSOC_MAX_NODE_MINUTES_PER_JOB", too_many_minutes(ACCOUNT, "node")
    ASSOC_MAX_NODE_PER_JOB_LIMIT = "ASSOC_MAX_NODE_PER_JOB_LIMIT", too_much(ACCOUNT, NODES)
    ASSOC_MAX_SUBMIT_JOB_LIMIT = "ASSOC_MAX_SUBMIT_JOB_LIMIT", submitted("In the account your")
    ASSOC_MAX_UNKNOWN_MINUTES_PER_JOB = "ASSOC_MAX_UNKNOWN_MINUTES_PER_JOB", too_many_minutes(ACCOUNT, "resource")
    ASSOC_MAX_UNKNOWN_PER_JOB = "ASSOC_MAX_UNKNOWN_PER_JOB", too_much(ACCOUNT, OTHER)
    ASSOC_MAX_UNKNOWN_PER_NODE = "ASSOC_MAX_UNKNOWN_PER_NODE", too_much_per_node(ACCOUNT, OTHER)
    ASSOC_MAX_WALL_DURATION_PER_JOB_LIMIT = "ASSOC_MAX_WALL_DURATION_PER_JOB_LIMIT", too_long(ACCOUNT)
    BAD_CONSTRAINTS = (
        "BAD_CONSTRAINTS",
        "No node can ever give what it asks for. Change its features, nodes or amounts, or cancel it.",
    )
    BEGIN_TIME = "BEGIN_TIME", "Its begin time has not come yet, or it was requeued a moment ago. Starts by itself."
    BLOCK_FREE_ACTION = "BLOCK_FREE_ACTION", "A block of nodes is being freed (Blue Gene). Starts by itself."
    BLOCK_MAX_ERROR = "BLOCK_MAX_ERROR", "A block of nodes has failed too often (Blue Gene). Ask an administrator."
    BURST_BUFFER_OPERATION = (
        "BURST_BUFFER_OPERATION",
        "The burst buffer works for it, or failed. Ask an administrator if this stays.",
    )
    BURST_BUFFER_RESOURCES = (
        "BURST_BUFFER_RESOURCES",
        "Waits for space in the burst buffer. The job starts when other jobs free some.",
    )
    BURST_BUFFER_STAGE_IN = (
        "BURST_BUFFER_STAGE_IN",
        "Its files are being copied into the burst buffer. Starts by itself.",
    )
    CLEANING = "CLEANING", "It was requeued, and the nodes of its last run are being cleaned up. Starts by itself."
    CONSTRAINTS = (
        "CONSTRAINTS",
        "No node has the features it asks for at the moment. The job starts when one does; ask for others to start "
        "sooner.",
    )
    DEADLINE = (
        "DEADLINE",
        "It cannot end before its deadline. Submit it again with a later deadline or a shorter time limit.",
    )
    DEPENDENCY = "DEPENDENCY", "Waits for the jobs that it depends on. Starts by itself."
    DEPENDENCY_NEVER_SATISFIED = (
        "DEPENDENCY_NEVER_SATISFIED",
        "A job that it depends on did not end as required: it will never start. Cancel it, or change its dependency.",
    )
    FED_JOB_LOCK = "FED_JOB_LOCK", "Waits until the federation's clusters agree where it starts. Starts by itself."
    FRONT_END_DOWN = "FRONT_END_DOWN", "No front end node is up. Ask an administrator."
    INACTIVE_LIMIT = "INACTIVE_LIMIT", "Its command did nothing for longer than the cluster allows."
    INVALID_ACCOUNT = "INVALID_ACCOUNT", "Its account does not exist, or you may not use it. Choose another account."
    INVALID_QOS = "INVALID_QOS", "Its QOS does not exist, or you may not use it. Choose another QOS."
    JOB_ARRAY_TASK_LIMIT = (
        "JOB_ARRAY_TASK_LIMIT",
        "The array's running tasks are as many as it allows at once (after the % in its id). The job starts when some "
        "end.",
    )
    JOB_HELD_ADMIN = "JOB_HELD_ADMIN", "An administrator holds it. Ask them to release it."
    JOB_HELD_USER = "JOB_HELD_USER", "It is held. Release it to let it start."
    JOB_HOLD_MAX_REQUEUE = (
        "JOB_HOLD_MAX_REQUEUE",
        "It failed to start too often and is held. Look at the nodes and its environment, then release it.",
    )
    JOB_LAUNCH_FAILURE = (
        "JOB_LAUNCH_FAILURE",
        "Its nodes could not launch it: a prolog, its environment, folder or user failed. If it is held, release "
        "it to try again.",
    )
    LICENSES = "LICENSES", "Waits for a license. The job starts when other jobs give one back."
    MAX_BB_PER_ACCOUNT = "MAX_BB_PER_ACCOUNT", share(THE_ACCOUNTS, BUFFER)
    MAX_BB_RUN_MINS_PER_ACCOUNT = "MAX_BB_RUN_MINS_PER_ACCOUNT", ahead("In the QOS the account's", "burst buffer")
    MAX_BB_RUN_MINS_PER_USER = "MAX_BB_RUN_MINS_PER_USER", ahead("In the QOS your", "burst buffer")
    MAX_BILLING_PER_ACCOUNT = "MAX_BILLING_PER_ACCOUNT", share(THE_ACCOUNTS, BILLING)
    MAX_BILLING_RUN_MINS_PER_ACCOUNT = "MAX_BILLING_RUN_MINS_PER_ACCOUNT", ahead("In the QOS the account's", "billing")
    MAX_BILLING_RUN_MINS_PER_USER = "MAX_BILLING_RUN_MINS_PER_USER", ahead("In the QOS your", "billing")
    MAX_CPU_PER_ACCOUNT = "MAX_CPU_PER_ACCOUNT", share(THE_ACCOUNTS, CPUS)
    MAX_CPU_RUN_MINS_PER_ACCOUNT = "MAX_CPU_RUN_MINS_PER_ACCOUNT", ahead("In the QOS the account's", "CPU")
    MAX_CPU_RUN_MINS_PER_USER = "MAX_CPU_RUN_MINS_PER_USER", ahead("In the QOS your", "CPU")
    MAX_ENERGY_PER_ACCOUNT = "MAX_ENERGY_PER_ACCOUNT", share(THE_ACCOUNTS, ENERGY)
    MAX_ENERGY_RUN_MINS_PER_ACCOUNT = "MAX_ENERGY_RUN_MINS_PER_ACCOUNT", ahead("In the QOS the account's", "energy")
    MAX_ENERGY_RUN_MINS_PER_USER = "MAX_ENERGY_RUN_MINS_PER_USER", ahead("In the QOS your", "energy")
    MAX_GRES_PER_ACCOUNT = "MAX_GRES_PER_ACCOUNT", share(THE_ACCOUNTS, GRES)
    MAX_GRES_RUN_MINS_PER_ACCOUNT = (
        "MAX_GRES_RUN_MINS_PER_ACCOUNT",
        ahead("In the QOS the account's", "generic resource"),
    )
    MAX_GRES_RUN_MINS_PER_USER = "MAX_GRES_RUN_MINS_PER_USER", ahead("In the QOS your", "generic resource")
    MAX_JOBS_PER_ACCOUNT = "MAX_JOBS_PER_ACCOUNT", running("In the QOS the account's")
    MAX_LICENSE_PER_ACCOUNT = "MAX_LICENSE_PER_ACCOUNT", share(THE_ACCOUNTS, LICENSE)
    MAX_LICENSE_RUN_MINS_PER_ACCOUNT = "MAX_LICENSE_RUN_MINS_PER_ACCOUNT", ahead("In the QOS the account's", "license")
    MAX_LICENSE_RUN_MINS_PER_USER = "MAX_LICENSE_RUN_MINS_PER_USER", ahead("In the QOS your", "license")
    MAX_MEMORY_PER_ACCOUNT = "MAX_MEMORY_PER_ACCOUNT", share(THE_ACCOUNTS, MEMORY)
    MAX_MEMORY_RUN_MINS_PER_ACCOUNT = "MAX_MEMORY_RUN_MINS_PER_ACCOUNT", ahead("In the QOS the account's", "memory")
    MAX_MEMORY_RUN_MINS_PER_USER = "MAX_MEMORY_RUN_MINS_PER_USER", ahead("In the QOS your", "memory")
    MAX_MEM_PER_LIMIT = (
        "MAX_MEM_PER_LIMIT",
        "Asks for more memory per CPU or node than its queue allows. Ask for less, or for more CPUs.",
    )
    MAX_NODE_PER_ACCOUNT = "MAX_NODE_PER_ACCOUNT", share(THE_ACCOUNTS, NODES)
    MAX_NODE_RUN_MINS_PER_ACCOUNT = "MAX_NODE_RUN_MINS_PER_ACCOUNT", ahead("In the QOS the account's", "node")
    MAX_NODE_RUN_MINS_PER_USER = "MAX_NODE_RUN_MINS_PER_USER", ahead("In the QOS your", "node")
    MAX_POWERED_UP_NODES = (
        "MAX_POWERED_UP_NODES",
        "As many cloud nodes run as the cluster may have. The job starts when some are powered down.",
    )
    MAX_SUBMIT_JOBS_PER_ACCOUNT = "MAX_SUBMIT_JOBS_PER_ACCOUNT", submitted("In the QOS the account's")
    MAX_UNKNOWN_PER_ACCOUNT = "MAX_UNKNOWN_PER_ACCOUNT", share(THE_ACCOUNTS, OTHER)
    MAX_UNKNOWN_RUN_MINS_PER_ACCOUNT = "MAX_UNKNOWN_RUN_MINS_PER_ACCOUNT", ahead("In the QOS the account's", "resource")
    MAX_UNKNOWN_RUN_MINS_PER_USER = "MAX_UNKNOWN_RUN_MINS_PER_USER", ahead("In the QOS your", "resource")
    MPI_PORTS_BUSY = (
        "MPI_PORTS_BUSY",
        "All MPI ports that the cluster reserves are in use. The job starts when other jobs end.",
    )
    NODE_DOWN = (
        "NODE_DOWN",
        "A node that it needs is down. The job starts when the node is back; ask for any node to start sooner.",
    )
    NON_ZERO_EXIT_CODE = "NON_ZERO_EXIT_CODE", "It ended with an exit code other than 0. Look at its output."
    NVIDIA_IMEX_CHANNELS = (
        "NVIDIA_IMEX_CHANNELS",
        "Waits for an NVIDIA IMEX channel. The job starts when other jobs give one back.",
    )
    OUT_OF_MEMORY = "OUT_OF_MEMORY", "It used more memory than it asked for. Submit it again with more."
    PARTITION_CONFIG = (
        "PARTITION_CONFIG",
        "It breaks a rule of its queue; Slurm does not say which. Choose another queue, or ask for less.",
    )
    PARTITION_DOWN = (
        "PARTITION_DOWN",
        "Its queue is down. The job starts when an administrator opens the queue; or choose another.",
    )
    PARTITION_INACTIVE = (
        "PARTITION_INACTIVE",
        "Its queue is inactive. On ParallelCluster the fleet is stopped, or protected after failed boots. Choose "
        "another queue, or ask an administrator.",
    )
    PARTITION_NODE_LIMIT = (
        "PARTITION_NODE_LIMIT",
        "Asks for more or fewer nodes than its queue gives, or some are down. Change the number, or the queue.",
    )
    PARTITION_TIME_LIMIT = (
        "PARTITION_TIME_LIMIT",
        "Its time limit is longer than its queue allows. Lower it, or choose another queue.",
    )
    POWER_NOT_AVAIL = (
        "POWER_NOT_AVAIL",
        "Waits for electrical power within the cluster's cap. The job starts when other jobs end.",
    )
    POWER_RESERVED = (
        "POWER_RESERVED",
        "Electrical power that it needs is reserved for other jobs. The job starts when they end.",
    )
    PRIORITY = "PRIORITY", "Other jobs are ahead of it in the queue. Starts by itself."
    PROLOG = "PROLOG", "The prolog still prepares its nodes. Starts by itself."
    QOS_GRP_BB = "QOS_GRP_BB", in_use(QOS, BUFFER)
    QOS_GRP_BB_MINUTES = "QOS_GRP_BB_MINUTES", spent(QOS, "burst buffer minutes")
    QOS_GRP_BB_RUN_MINUTES = "QOS_GRP_BB_RUN_MINUTES", ahead(THE_QOS, "burst buffer")
    QOS_GRP_BILLING = "QOS_GRP_BILLING", in_use(QOS, BILLING)
    QOS_GRP_BILLING_MINUTES = "QOS_GRP_BILLING_MINUTES", spent(QOS, "billing minutes")
    QOS_GRP_BILLING_RUN_MINUTES = "QOS_GRP_BILLING_RUN_MINUTES", ahead(THE_QOS, "billing")
    QOS_GRP_CPU_LIMIT = "QOS_GRP_CPU_LIMIT", in_use(QOS, CPUS)
    QOS_GRP_CPU_MINUTES_LIMIT = "QOS_GRP_CPU_MINUTES_LIMIT", spent(QOS, "CPU minutes")
    QOS_GRP_CPU_RUN_MINUTES_LIMIT = "QOS_GRP_CPU_RUN_MINUTES_LIMIT", ahead(THE_QOS, "CPU")
    QOS_GRP_ENERGY = "QOS_GRP_ENERGY", in_use(QOS, ENERGY)
    QOS_GRP_ENERGY_MINUTES = "QOS_GRP_ENERGY_MINUTES", spent(QOS, "energy minutes")
    QOS_GRP_ENERGY_RUN_MINUTES = "QOS_GRP_ENERGY_RUN_MINUTES", ahead(THE_QOS, "energy")
    QOS_GRP_GRES = "QOS_GRP_GRES", in_use(QOS, GRES)
    QOS_GRP_GRES_MINUTES = "QOS_GRP_GRES_MINUTES", spent(QOS, "generic resource minutes")
    QOS_GRP_GRES_RUN_MINUTES = "QOS_GRP_GRES_RUN_MINUTES", ahead(THE_QOS, "generic resource")
    QOS_GRP_JOBS_LIMIT = "QOS_GRP_JOBS_LIMIT", running(THE_QOS)
    QOS_GRP_LICENSE = "QOS_GRP_LICENSE", in_use(QOS, LICENSE)
    QOS_GRP_LICENSE_MINUTES = "QOS_GRP_LICENSE_MINUTES", spent(QOS, "license minutes")
    QOS_GRP_LICENSE_RUN_MINUTES = "QOS_GRP_LICENSE_RUN_MINUTES", ahead(THE_QOS, "license")
    QOS_GRP_MEMORY_MINUTES = "QOS_GRP_MEMORY_MINUTES", spent(QOS, "memory minutes")
    QOS_GRP_MEMORY_RUN_MINUTES = "QOS_GRP_MEMORY_RUN_MINUTES", ahead(THE_QOS, "memory")
    QOS_GRP_MEM_LIMIT = "QOS_GRP_MEM_LIMIT", in_use(QOS, MEMORY)
    QOS_GRP_NODE_LIMIT = "QOS_GRP_NODE_LIMIT", in_use(QOS, NODES)
    QOS_GRP_NODE_MINUTES = "QOS_GRP_NODE_MINUTES", spent(QOS, "node minutes")
    QOS_GRP_NODE_RUN_MINUTES = "QOS_GRP_NODE_RUN_MINUTES", ahead(THE_QOS, "node")
    QOS_GRP_SUBMIT_JOBS_LIMIT = "QOS_GRP_SUBMIT_JOBS_LIMIT", submitted(THE_QOS)
    QOS_GRP_UNKNOWN = "QOS_GRP_UNKNOWN", in_use(QOS, OTHER)
    QOS_GRP_UNKNOWN_MINUTES = "QOS_GRP_UNKNOWN_MINUTES", spent(QOS, "resource minutes")
    QOS_GRP_UNKNOWN_RUN_MINUTES = "QOS_GRP_UNKNOWN_RUN_MINUTES", ahead(THE_QOS, "resource")
    QOS_GRP_WALL_LIMIT = "QOS_GRP_WALL_LIMIT", spent(QOS, "running time")
    QOS_JOB_LIMIT = "QOS_JOB_LIMIT", running(THE_QOS)
    QOS_MAX_BB_PER_JOB = "QOS_MAX_BB_PER_JOB", too_much(QOS, BUFFER)
    QOS_MAX_BB_PER_NODE = "QOS_MAX_BB_PER_NODE", too_much_per_node(QOS, BUFFER)
    QOS_MAX_BB_PER_USER = "QOS_MAX_BB_PER_USER", share(YOUR, BUFFER)
    QOS_MAX_BILLING_MINUTES_PER_JOB = "QOS_MAX_BILLING_MINUTES_PER_JOB", too_many_minutes(QOS, "billing")
    QOS_MAX_BILLING_PER_JOB = "QOS_MAX_BILLING_PER_JOB", too_much(QOS, BILLING)
    QOS_MAX_BILLING_PER_NODE = "QOS_MAX_BILLING_PER_NODE", too_much_per_node(QOS, BILLING)
    QOS_MAX_BILLING_PER_USER = "QOS_MAX_BILLING_PER_USER", share(YOUR, BILLING)
    QOS_MAX_CPU_MINUTES_PER_JOB_LIMIT = "QOS_MAX_CPU_MINUTES_PER_JOB_LIMIT", too_many_minutes(QOS, "CPU")
    QOS_MAX_CPU_PER_JOB_LIMIT = "QOS_MAX_CPU_PER_JOB_LIMIT", too_much(QOS, CPUS)
    QOS_MAX_CPU_PER_NODE = "QOS_MAX_CPU_PER_NODE", too_much_per_node(QOS, CPUS)
    QOS_MAX_CPU_PER_USER_LIMIT = "QOS_MAX_CPU_PER_USER_LIMIT", share(YOUR, CPUS)
    QOS_MAX_ENERGY_MINUTES_PER_JOB = "QOS_MAX_ENERGY_MINUTES_PER_JOB", too_many_minutes(QOS, "energy")
    QOS_MAX_ENERGY_PER_JOB = "QOS_MAX_ENERGY_PER_JOB", too_much(QOS, ENERGY)
    QOS_MAX_ENERGY_PER_NODE = "QOS_MAX_ENERGY_PER_NODE", too_much_per_node(QOS, ENERGY)
    QOS_MAX_ENERGY_PER_USER = "QOS_MAX_ENERGY_PER_USER", share(YOUR, ENERGY)
    QOS_MAX_GRES_MINUTES_PER_JOB = "QOS_MAX_GRES_MINUTES_PER_JOB", too_many_minutes(QOS, "generic resource")
    QOS_MAX_GRES_PER_JOB = "QOS_MAX_GRES_PER_JOB", too_much(QOS, GRES)
    QOS_MAX_GRES_PER_NODE = "QOS_MAX_GRES_PER_NODE", too_much_per_node(QOS, GRES)
    QOS_MAX_GRES_PER_USER = "QOS_MAX_GRES_PER_USER", share(YOUR, GRES)
    QOS_MAX_JOBS_PER_USER_LIMIT = "QOS_MAX_JOBS_PER_USER_LIMIT", running("In the QOS your")
    QOS_MAX_LICENSE_MINUTES_PER_JOB = "QOS_MAX_LICENSE_MINUTES_PER_JOB", too_many_minutes(QOS, "license")
    QOS_MAX_LICENSE_PER_JOB = "QOS_MAX_LICENSE_PER_JOB", too_much(QOS, LICENSE)
    QOS_MAX_LICENSE_PER_USER = "QOS_MAX_LICENSE_PER_USER", share(YOUR, LICENSE)
    QOS_MAX_MEMORY_MINUTES_PER_JOB = "QOS_MAX_MEMORY_MINUTES_PER_JOB", too_many_minutes(QOS, "memory")
    QOS_MAX_MEMORY_PER_JOB = "QOS_MAX_MEMORY_PER_JOB", too_much(QOS, MEMORY)
    QOS_MAX_MEMORY_PER_NODE = "QOS_MAX_MEMORY_PER_NODE", too_much_per_node(QOS, MEMORY)
    QOS_MAX_MEMORY_PER_USER = "QOS_MAX_MEMORY_PER_USER", share(YOUR, MEMORY)
    QOS_MAX_NODE_MINUTES_PER_JOB = "QOS_MAX_NODE_MINUTES_PER_JOB", too_many_minutes(QOS, "node")
    QOS_MAX_NODE_PER_JOB_LIMIT = "QOS_MAX_NODE_PER_JOB_LIMIT", too_much(QOS, NODES)
    QOS_MAX_NODE_PER_USER_LIMIT = "QOS_MAX_NODE_PER_USER_LIMIT", share(YOUR, NODES)
    QOS_MAX_SUBMIT_JOB_PER_USER_LIMIT = "QOS_MAX_SUBMIT_JOB_PER_USER_LIMIT", submitted("In the QOS your")
    QOS_MAX_UNKNOWN_MINUTES_PER_JOB = "QOS_MAX_UNKNOWN_MINUTES_PER_JOB", too_many_minutes(QOS, "resource")
    QOS_MAX_UNKNOWN_PER_JOB = "QOS_MAX_UNKNOWN_PER_JOB", too_much(QOS, OTHER)
    QOS_MAX_UNKNOWN_PER_NODE = "QOS_MAX_UNKNOWN_PER_NODE", too_much_per_node(QOS, OTHER)
    QOS_MAX_UNKNOWN_PER_USER = "QOS_MAX_UNKNOWN_PER_USER", share(YOUR, OTHER)
    QOS_MAX_WALL_DURATION_PER_JOB_LIMIT = "QOS_MAX_WALL_DURATION_PER_JOB_LIMIT", too_long(QOS)
    QOS_MIN_BB = "QOS_MIN_BB", too_little(BUFFER)
    QOS_MIN_BILLING = "QOS_MIN_BILLING", too_little(BILLING)
    QOS_MIN_CPU_NOT_SATISFIED = "QOS_MIN_CPU_NOT_SATISFIED", too_little(CPUS)
    QOS_MIN_ENERGY = "QOS_MIN_ENERGY", too_little(ENERGY)
    QOS_MIN_GRES = "QOS_MIN_GRES", too_little(GRES)
    QOS_MIN_LICENSE = "QOS_MIN_LICENSE", too_little(LICENSE)
    QOS_MIN_MEMORY = "QOS_MIN_MEMORY", too_little(MEMORY)
    QOS_MIN_NODE = "QOS_MIN_NODE", too_little(NODES)
    QOS_MIN_UNKNOWN = "QOS_MIN_UNKNOWN", too_little(OTHER)
    QOS_NOT_ALLOWED = (
        "QOS_NOT_ALLOWED",
        "The queue or the account does not allow its QOS. Choose another QOS, queue or account.",
    )
    QOS_RESOURCE_LIMIT = "QOS_RESOURCE_LIMIT", in_use(QOS, "some resource")
    QOS_TIME_LIMIT = "QOS_TIME_LIMIT", spent(QOS, "running time")
    QOS_USAGE_THRESHOLD = (
        "QOS_USAGE_THRESHOLD",
        "You used more than the QOS allows. Starts once your usage has decayed; or use another QOS.",
    )
    RAISED_SIGNAL = "RAISED_SIGNAL", "A signal ended it; exitSignal says which. Look at its output."
    REQ_NODE_NOT_AVAIL = (
        "REQ_NODE_NOT_AVAIL",
        "Nodes that it needs are down, drained or reserved. The job starts when they are back; ask for any node to "
        "start sooner.",
    )
    RESERVATION = "RESERVATION", "Waits for its reservation to begin, or to have room."
    RESERVATION_DELETED = "RESERVATION_DELETED", "Its reservation was deleted. Choose another or none, then release it."
    RESERVATION_INVALID = (
        "RESERVATION_INVALID",
        "Its reservation is not valid any more. Choose another or none, then release it.",
    )
    RESOURCES = "RESOURCES", "It is next, and waits for enough free nodes, CPUs, memory or GPUs. Starts by itself."
    SCHED_DEFER = "SCHED_DEFER", "The scheduler does not start jobs one by one at the moment. Starts by itself."
    SYSTEM_FAILURE = (
        "SYSTEM_FAILURE",
        "Slurm, a file system or the network failed. Submit it again; if that fails, ask an administrator.",
    )
    TIME_LIMIT = "TIME_LIMIT", "It reached its time limit. Submit it again with a longer one."
    UNKNOWN = "UNKNOWN", "A reason this API does not know; `reason` has the scheduler's own words."


_WAITING = frozenset(
    {JobState.PENDING, JobState.CONFIGURING, JobState.REQUEUED, JobState.REQUEUE_HOLD, JobState.SPECIAL_EXIT}
)
_ENDS: dict[JobState, str] = {
    JobState.FAILED: (
        "It ended with an exit code other than 0, a signal ended it, or its nodes could not launch it. "
        "Look at its output."
    ),
    JobState.TIMEOUT: "It reached its time limit. Submit it again with a longer one.",
    JobState.NODE_FAIL: "A node failed while it ran. Submit it again.",
    JobState.PREEMPTED: "It was ended to make room for another job. Submit it again.",
    JobState.BOOT_FAIL: "Its nodes did not start. Submit it again.",
    JobState.DEADLINE: "It could not end before its deadline. Submit it again with a later one.",
    JobState.OUT_OF_MEMORY: "It used more memory than it asked for. Submit it again with more.",
}
"""The state alone says it: accounting does not keep the reason for an end, but the last one for waiting."""
_ENDS_BY_REASON: dict[tuple[JobState, ReasonCode], str] = {
    (JobState.CANCELLED, ReasonCode.DEPENDENCY_NEVER_SATISFIED): (
        "A job that it depended on did not end as required, so it never started."
    ),
    (JobState.FAILED, ReasonCode.BAD_CONSTRAINTS): "No node could ever give what it asked for, so it never started.",
}


def sentence(code: ReasonCode | None, state: JobState, has_run: bool) -> str | None:
    """The sentence for people: why a job waits, or what ended it; else None.

    Of a job that has run the reason is not why it did not start: accounting keeps the last reason for waiting.
    """
    if code is not None and not has_run and (state, code) in _ENDS_BY_REASON:
        return _ENDS_BY_REASON[state, code]
    if code is not None and (state in _WAITING or (state is JobState.RUNNING and code is ReasonCode.PROLOG)):
        return code.description
    return "It failed before it started." if state is JobState.FAILED and not has_run else _ENDS.get(state)


# Sentences that slurmctld writes in place of a code (read in 20.11 to 26.05); the first match counts.
_SENTENCES = [
    (re.compile(words, re.DOTALL), code)
    for words, code in (
        (r"Nodes required for job are DOWN, DRAINED", ReasonCode.REQ_NODE_NOT_AVAIL),
        (r"job requeued in (held|special exit) state", ReasonCode.JOB_HELD_USER),
        (r"launch failure limit exceeded", ReasonCode.JOB_HOLD_MAX_REQUEUE),
        (r"(launch|user env retrieval) failed requeued held", ReasonCode.JOB_LAUNCH_FAILURE),
        (r"uid \d+ not in group permitted to use this partition", ReasonCode.ACCOUNT_NOT_ALLOWED),
        (r"Job's account not (permitted to use|known, so it can't use) this partition", ReasonCode.ACCOUNT_NOT_ALLOWED),
        (r"Job's QOS not (permitted to use|known, so it can't use) this partition", ReasonCode.QOS_NOT_ALLOWED),
        (r"Reservation .+, which this job was running under, has ended", ReasonCode.RESERVATION),
        (r"Reservation .+ was deleted", ReasonCode.RESERVATION_DELETED),
        (r"Reservation .+ is invalid", ReasonCode.RESERVATION_INVALID),
        (r"Job is at or exceeds QOS .*group wall limit", ReasonCode.QOS_GRP_WALL_LIMIT),
        (r"Job is at or exceeds QOS ", ReasonCode.QOS_RESOURCE_LIMIT),
        (r"Job is at or exceeds association .*group wall limit", ReasonCode.ASSOC_GRP_WALL_LIMIT),
        (r"Job is at or exceeds association ", ReasonCode.ASSOCIATION_RESOURCE_LIMIT),
        (r"burst_buffer/\w+: ", ReasonCode.BURST_BUFFER_OPERATION),
        (
            r"(?i)(.*: )?(burst buffer|stage-out in progress|error managing persistent burst|could not find burst)",
            ReasonCode.BURST_BUFFER_OPERATION,
        ),
        (r"Memory resize to .+ failed on node", ReasonCode.SYSTEM_FAILURE),
        (r"Unable to load job (batch script|environment)", ReasonCode.SYSTEM_FAILURE),
    )
]

_NONE = frozenset({"", "none", "null"})


def token(text: str) -> str:
    """A code without its spelling: `QOSMaxJobsPerUserLimit` and QOS_MAX_JOBS_PER_USER_LIMIT are one."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


_REASONS = {token(code.value): code for code in ReasonCode}


def reason_code(text: str) -> ReasonCode | None:
    """The code of squeue's or sacct's Reason column; None for no reason, UNKNOWN for words that no release has.

    It may be a code (`Resources`), a code with details (`ReqNodeNotAvail, UnavailableNodes:queue1-dy-large-[1-4]`,
    `RaisedSignal:9(Killed)`), the codes of an array's tasks in one row (`Resources,None`: the first that says
    something), or a sentence.
    """
    for words, code in _SENTENCES:
        if words.match(text):
            return code
    tokens = [token(part) for part in re.split(r"[,:(]", text)]
    for each in tokens:
        if each in _REASONS:
            return _REASONS[each]
    return None if all(each in _NONE for each in tokens) else ReasonCode.UNKNOWN
