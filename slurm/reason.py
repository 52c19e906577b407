"""Why a job waits or failed, and why ParallelCluster could not start a node: Slurm's and EC2's codes, and what to do.

squeue(1), JOB REASON CODES; https://slurm.schedmd.com/job_reason_codes.html; EC2 API reference, Error codes.
"""

import re

from slurm.states import DescribedEnum


class ReasonCode(DescribedEnum):
    """Why a job waits or failed: Slurm's words from 20.11 to 26.05, each with what it means and what can be done."""

    # fmt: off
    ACCOUNTING_POLICY = "ACCOUNTING_POLICY", "A limit of the account or the QOS holds it back; Slurm does not say which. Ask an administrator."
    ACCOUNT_NOT_ALLOWED = "ACCOUNT_NOT_ALLOWED", "The queue does not take jobs of this account or group. Choose another queue or account."
    ASSOCIATION_JOB_LIMIT = "ASSOCIATION_JOB_LIMIT", "As many jobs of the account run as may run at once. Starts when some of them end."
    ASSOCIATION_RESOURCE_LIMIT = "ASSOCIATION_RESOURCE_LIMIT", "The account uses as much as it may. Starts when some of its jobs end."
    ASSOCIATION_TIME_LIMIT = "ASSOCIATION_TIME_LIMIT", "The account has spent its budget of running time. Wait until it is renewed, or ask an administrator."
    ASSOC_GRP_BB = "ASSOC_GRP_BB", "All jobs of the account together use as much as they may: burst buffer space. Starts when some of them end."
    ASSOC_GRP_BB_MINUTES = "ASSOC_GRP_BB_MINUTES", "The account has spent its budget of burst buffer minutes. Wait until it is renewed, use another account, or ask an administrator."
    ASSOC_GRP_BB_RUN_MINUTES = "ASSOC_GRP_BB_RUN_MINUTES", "The running jobs of the account still have as many burst buffer minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    ASSOC_GRP_BILLING = "ASSOC_GRP_BILLING", "All jobs of the account together use as much as they may: billing units. Starts when some of them end."
    ASSOC_GRP_BILLING_MINUTES = "ASSOC_GRP_BILLING_MINUTES", "The account has spent its budget of billing minutes. Wait until it is renewed, use another account, or ask an administrator."
    ASSOC_GRP_BILLING_RUN_MINUTES = "ASSOC_GRP_BILLING_RUN_MINUTES", "The running jobs of the account still have as many billing minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    ASSOC_GRP_CPU_LIMIT = "ASSOC_GRP_CPU_LIMIT", "All jobs of the account together use as much as they may: CPUs. Starts when some of them end."
    ASSOC_GRP_CPU_MINUTES_LIMIT = "ASSOC_GRP_CPU_MINUTES_LIMIT", "The account has spent its budget of CPU minutes. Wait until it is renewed, use another account, or ask an administrator."
    ASSOC_GRP_CPU_RUN_MINUTES_LIMIT = "ASSOC_GRP_CPU_RUN_MINUTES_LIMIT", "The running jobs of the account still have as many CPU minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    ASSOC_GRP_ENERGY = "ASSOC_GRP_ENERGY", "All jobs of the account together use as much as they may: energy. Starts when some of them end."
    ASSOC_GRP_ENERGY_MINUTES = "ASSOC_GRP_ENERGY_MINUTES", "The account has spent its budget of energy minutes. Wait until it is renewed, use another account, or ask an administrator."
    ASSOC_GRP_ENERGY_RUN_MINUTES = "ASSOC_GRP_ENERGY_RUN_MINUTES", "The running jobs of the account still have as many energy minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    ASSOC_GRP_GRES = "ASSOC_GRP_GRES", "All jobs of the account together use as much as they may: generic resources (GPUs). Starts when some of them end."
    ASSOC_GRP_GRES_MINUTES = "ASSOC_GRP_GRES_MINUTES", "The account has spent its budget of generic resource (GPU) minutes. Wait until it is renewed, use another account, or ask an administrator."
    ASSOC_GRP_GRES_RUN_MINUTES = "ASSOC_GRP_GRES_RUN_MINUTES", "The running jobs of the account still have as many generic resource (GPU) minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    ASSOC_GRP_JOBS_LIMIT = "ASSOC_GRP_JOBS_LIMIT", "As many jobs of the account run as may run at once. Starts when some of them end."
    ASSOC_GRP_LICENSE = "ASSOC_GRP_LICENSE", "All jobs of the account together use as much as they may: licenses. Starts when some of them end."
    ASSOC_GRP_LICENSE_MINUTES = "ASSOC_GRP_LICENSE_MINUTES", "The account has spent its budget of license minutes. Wait until it is renewed, use another account, or ask an administrator."
    ASSOC_GRP_LICENSE_RUN_MINUTES = "ASSOC_GRP_LICENSE_RUN_MINUTES", "The running jobs of the account still have as many license minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    ASSOC_GRP_MEM_LIMIT = "ASSOC_GRP_MEM_LIMIT", "All jobs of the account together use as much as they may: memory. Starts when some of them end."
    ASSOC_GRP_MEM_MINUTES = "ASSOC_GRP_MEM_MINUTES", "The account has spent its budget of memory minutes. Wait until it is renewed, use another account, or ask an administrator."
    ASSOC_GRP_MEM_RUN_MINUTES = "ASSOC_GRP_MEM_RUN_MINUTES", "The running jobs of the account still have as many memory minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    ASSOC_GRP_NODE_LIMIT = "ASSOC_GRP_NODE_LIMIT", "All jobs of the account together use as much as they may: nodes. Starts when some of them end."
    ASSOC_GRP_NODE_MINUTES = "ASSOC_GRP_NODE_MINUTES", "The account has spent its budget of node minutes. Wait until it is renewed, use another account, or ask an administrator."
    ASSOC_GRP_NODE_RUN_MINUTES = "ASSOC_GRP_NODE_RUN_MINUTES", "The running jobs of the account still have as many node minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    ASSOC_GRP_SUBMIT_JOBS_LIMIT = "ASSOC_GRP_SUBMIT_JOBS_LIMIT", "As many jobs of the account wait or run as may at once. Starts when some of them end."
    ASSOC_GRP_UNKNOWN = "ASSOC_GRP_UNKNOWN", "All jobs of the account together use as much as they may: a resource without a name here. Starts when some of them end."
    ASSOC_GRP_UNKNOWN_MINUTES = "ASSOC_GRP_UNKNOWN_MINUTES", "The account has spent its budget of resource minutes. Wait until it is renewed, use another account, or ask an administrator."
    ASSOC_GRP_UNKNOWN_RUN_MINUTES = "ASSOC_GRP_UNKNOWN_RUN_MINUTES", "The running jobs of the account still have as many resource minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    ASSOC_GRP_WALL_LIMIT = "ASSOC_GRP_WALL_LIMIT", "The account has spent its budget of running time. Wait until it is renewed, use another account, or ask an administrator."
    ASSOC_MAX_BB_MINUTES_PER_JOB = "ASSOC_MAX_BB_MINUTES_PER_JOB", "Asks for more burst buffer minutes (amount times time limit) than one job of the account may. Ask for less or for less time, or use another account."
    ASSOC_MAX_BB_PER_JOB = "ASSOC_MAX_BB_PER_JOB", "Asks for more than one job of the account may have: burst buffer space. Ask for less, or use another account."
    ASSOC_MAX_BB_PER_NODE = "ASSOC_MAX_BB_PER_NODE", "Asks for more on each node than one job of the account may have: burst buffer space. Ask for less per node, or use another account."
    ASSOC_MAX_BILLING_MINUTES_PER_JOB = "ASSOC_MAX_BILLING_MINUTES_PER_JOB", "Asks for more billing minutes (amount times time limit) than one job of the account may. Ask for less or for less time, or use another account."
    ASSOC_MAX_BILLING_PER_JOB = "ASSOC_MAX_BILLING_PER_JOB", "Asks for more than one job of the account may have: billing units. Ask for less, or use another account."
    ASSOC_MAX_BILLING_PER_NODE = "ASSOC_MAX_BILLING_PER_NODE", "Asks for more on each node than one job of the account may have: billing units. Ask for less per node, or use another account."
    ASSOC_MAX_CPU_MINUTES_PER_JOB_LIMIT = "ASSOC_MAX_CPU_MINUTES_PER_JOB_LIMIT", "Asks for more CPU minutes (amount times time limit) than one job of the account may. Ask for less or for less time, or use another account."
    ASSOC_MAX_CPU_PER_JOB_LIMIT = "ASSOC_MAX_CPU_PER_JOB_LIMIT", "Asks for more than one job of the account may have: CPUs. Ask for less, or use another account."
    ASSOC_MAX_CPU_PER_NODE = "ASSOC_MAX_CPU_PER_NODE", "Asks for more on each node than one job of the account may have: CPUs. Ask for less per node, or use another account."
    ASSOC_MAX_ENERGY_MINUTES_PER_JOB = "ASSOC_MAX_ENERGY_MINUTES_PER_JOB", "Asks for more energy minutes (amount times time limit) than one job of the account may. Ask for less or for less time, or use another account."
    ASSOC_MAX_ENERGY_PER_JOB = "ASSOC_MAX_ENERGY_PER_JOB", "Asks for more than one job of the account may have: energy. Ask for less, or use another account."
    ASSOC_MAX_ENERGY_PER_NODE = "ASSOC_MAX_ENERGY_PER_NODE", "Asks for more on each node than one job of the account may have: energy. Ask for less per node, or use another account."
    ASSOC_MAX_GRES_MINUTES_PER_JOB = "ASSOC_MAX_GRES_MINUTES_PER_JOB", "Asks for more generic resource (GPU) minutes (amount times time limit) than one job of the account may. Ask for less or for less time, or use another account."
    ASSOC_MAX_GRES_PER_JOB = "ASSOC_MAX_GRES_PER_JOB", "Asks for more than one job of the account may have: generic resources (GPUs). Ask for less, or use another account."
    ASSOC_MAX_GRES_PER_NODE = "ASSOC_MAX_GRES_PER_NODE", "Asks for more on each node than one job of the account may have: generic resources (GPUs). Ask for less per node, or use another account."
    ASSOC_MAX_JOBS_LIMIT = "ASSOC_MAX_JOBS_LIMIT", "As many of your jobs run in the account as may run at once. Starts when some of them end."
    ASSOC_MAX_LICENSE_MINUTES_PER_JOB = "ASSOC_MAX_LICENSE_MINUTES_PER_JOB", "Asks for more license minutes (amount times time limit) than one job of the account may. Ask for less or for less time, or use another account."
    ASSOC_MAX_LICENSE_PER_JOB = "ASSOC_MAX_LICENSE_PER_JOB", "Asks for more than one job of the account may have: licenses. Ask for less, or use another account."
    ASSOC_MAX_MEM_MINUTES_PER_JOB = "ASSOC_MAX_MEM_MINUTES_PER_JOB", "Asks for more memory minutes (amount times time limit) than one job of the account may. Ask for less or for less time, or use another account."
    ASSOC_MAX_MEM_PER_JOB = "ASSOC_MAX_MEM_PER_JOB", "Asks for more than one job of the account may have: memory. Ask for less, or use another account."
    ASSOC_MAX_MEM_PER_NODE = "ASSOC_MAX_MEM_PER_NODE", "Asks for more on each node than one job of the account may have: memory. Ask for less per node, or use another account."
    ASSOC_MAX_NODE_MINUTES_PER_JOB = "ASSOC_MAX_NODE_MINUTES_PER_JOB", "Asks for more node minutes (amount times time limit) than one job of the account may. Ask for less or for less time, or use another account."
    ASSOC_MAX_NODE_PER_JOB_LIMIT = "ASSOC_MAX_NODE_PER_JOB_LIMIT", "Asks for more than one job of the account may have: nodes. Ask for less, or use another account."
    ASSOC_MAX_SUBMIT_JOB_LIMIT = "ASSOC_MAX_SUBMIT_JOB_LIMIT", "As many of your jobs wait or run in the account as may at once. Starts when some of them end."
    ASSOC_MAX_UNKNOWN_MINUTES_PER_JOB = "ASSOC_MAX_UNKNOWN_MINUTES_PER_JOB", "Asks for more resource minutes (amount times time limit) than one job of the account may. Ask for less or for less time, or use another account."
    ASSOC_MAX_UNKNOWN_PER_JOB = "ASSOC_MAX_UNKNOWN_PER_JOB", "Asks for more than one job of the account may have: a resource without a name here. Ask for less, or use another account."
    ASSOC_MAX_UNKNOWN_PER_NODE = "ASSOC_MAX_UNKNOWN_PER_NODE", "Asks for more on each node than one job of the account may have: a resource without a name here. Ask for less per node, or use another account."
    ASSOC_MAX_WALL_DURATION_PER_JOB_LIMIT = "ASSOC_MAX_WALL_DURATION_PER_JOB_LIMIT", "Asks for more time than one job of the account may have. Lower its time limit, or use another account."
    BAD_CONSTRAINTS = "BAD_CONSTRAINTS", "No node of the cluster can ever fulfil what it asks for. Change its features, nodes or amounts, or cancel it."
    BEGIN_TIME = "BEGIN_TIME", "Its begin time has not come yet, or it waits a moment after it was requeued. Starts later by itself."
    BLOCK_FREE_ACTION = "BLOCK_FREE_ACTION", "A block of nodes is being freed (Blue Gene). Starts by itself."
    BLOCK_MAX_ERROR = "BLOCK_MAX_ERROR", "A block of nodes has failed too often (Blue Gene). Ask an administrator."
    BURST_BUFFER_OPERATION = "BURST_BUFFER_OPERATION", "An operation of the burst buffer failed or is under way. If it stays, ask an administrator."
    BURST_BUFFER_RESOURCES = "BURST_BUFFER_RESOURCES", "Waits for space in the burst buffer. Starts when other jobs free some."
    BURST_BUFFER_STAGE_IN = "BURST_BUFFER_STAGE_IN", "Its files are being copied into the burst buffer. Starts by itself."
    CLEANING = "CLEANING", "It was requeued, and its last run is still being cleaned up. Starts by itself."
    CONSTRAINTS = "CONSTRAINTS", "No node fulfils its constraints at the moment. Starts when one does; other features would start sooner."
    DEADLINE = "DEADLINE", "It cannot end before its deadline any more. Submit it again with a later deadline or a shorter time limit."
    DEPENDENCY = "DEPENDENCY", "Waits for the jobs that it depends on. Starts by itself once they are as it demands."
    DEPENDENCY_NEVER_SATISFIED = "DEPENDENCY_NEVER_SATISFIED", "A job that it depends on did not end as it demands, so it will never start. Cancel it, or change its dependency."
    FED_JOB_LOCK = "FED_JOB_LOCK", "Waits for the clusters of the federation to agree on where it starts. Starts by itself."
    FRONT_END_DOWN = "FRONT_END_DOWN", "No front end node is up. Ask an administrator."
    INACTIVE_LIMIT = "INACTIVE_LIMIT", "Was ended because its command did nothing for longer than the cluster allows."
    INVALID_ACCOUNT = "INVALID_ACCOUNT", "Its account does not exist, or you may not use it. Choose another account."
    INVALID_QOS = "INVALID_QOS", "Its QOS does not exist, or you may not use it. Choose another QOS."
    JOB_ARRAY_TASK_LIMIT = "JOB_ARRAY_TASK_LIMIT", "As many tasks of the array run as it allows at once (the % in its task numbers). Starts when some of them end."
    JOB_HELD_ADMIN = "JOB_HELD_ADMIN", "An administrator holds it. Ask them to release it."
    JOB_HELD_USER = "JOB_HELD_USER", "It is held. Release it to let it start."
    JOB_HOLD_MAX_REQUEUE = "JOB_HOLD_MAX_REQUEUE", "It was requeued too often after failed starts and is held. Look at the nodes or at its environment, then release it."
    JOB_LAUNCH_FAILURE = "JOB_LAUNCH_FAILURE", "It could not be launched on its nodes: a prolog, its environment, its folder or its user there failed. Held jobs start again when released."
    LICENSES = "LICENSES", "Waits for a license. Starts when other jobs give one back."
    MAX_BB_PER_ACCOUNT = "MAX_BB_PER_ACCOUNT", "The account's jobs in the QOS use as much as one account's may: burst buffer space. Starts when some of them end."
    MAX_BB_RUN_MINS_PER_ACCOUNT = "MAX_BB_RUN_MINS_PER_ACCOUNT", "In the QOS, the account's running jobs still have as many burst buffer minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    MAX_BB_RUN_MINS_PER_USER = "MAX_BB_RUN_MINS_PER_USER", "In the QOS, your running jobs still have as many burst buffer minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    MAX_BILLING_PER_ACCOUNT = "MAX_BILLING_PER_ACCOUNT", "The account's jobs in the QOS use as much as one account's may: billing units. Starts when some of them end."
    MAX_BILLING_RUN_MINS_PER_ACCOUNT = "MAX_BILLING_RUN_MINS_PER_ACCOUNT", "In the QOS, the account's running jobs still have as many billing minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    MAX_BILLING_RUN_MINS_PER_USER = "MAX_BILLING_RUN_MINS_PER_USER", "In the QOS, your running jobs still have as many billing minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    MAX_CPU_PER_ACCOUNT = "MAX_CPU_PER_ACCOUNT", "The account's jobs in the QOS use as much as one account's may: CPUs. Starts when some of them end."
    MAX_CPU_RUN_MINS_PER_ACCOUNT = "MAX_CPU_RUN_MINS_PER_ACCOUNT", "In the QOS, the account's running jobs still have as many CPU minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    MAX_CPU_RUN_MINS_PER_USER = "MAX_CPU_RUN_MINS_PER_USER", "In the QOS, your running jobs still have as many CPU minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    MAX_ENERGY_PER_ACCOUNT = "MAX_ENERGY_PER_ACCOUNT", "The account's jobs in the QOS use as much as one account's may: energy. Starts when some of them end."
    MAX_ENERGY_RUN_MINS_PER_ACCOUNT = "MAX_ENERGY_RUN_MINS_PER_ACCOUNT", "In the QOS, the account's running jobs still have as many energy minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    MAX_ENERGY_RUN_MINS_PER_USER = "MAX_ENERGY_RUN_MINS_PER_USER", "In the QOS, your running jobs still have as many energy minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    MAX_GRES_PER_ACCOUNT = "MAX_GRES_PER_ACCOUNT", "The account's jobs in the QOS use as much as one account's may: generic resources (GPUs). Starts when some of them end."
    MAX_GRES_RUN_MINS_PER_ACCOUNT = "MAX_GRES_RUN_MINS_PER_ACCOUNT", "In the QOS, the account's running jobs still have as many generic resource (GPU) minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    MAX_GRES_RUN_MINS_PER_USER = "MAX_GRES_RUN_MINS_PER_USER", "In the QOS, your running jobs still have as many generic resource (GPU) minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    MAX_JOBS_PER_ACCOUNT = "MAX_JOBS_PER_ACCOUNT", "As many jobs of the account run in the QOS as may run at once. Starts when some of them end."
    MAX_LICENSE_PER_ACCOUNT = "MAX_LICENSE_PER_ACCOUNT", "The account's jobs in the QOS use as much as one account's may: licenses. Starts when some of them end."
    MAX_LICENSE_RUN_MINS_PER_ACCOUNT = "MAX_LICENSE_RUN_MINS_PER_ACCOUNT", "In the QOS, the account's running jobs still have as many license minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    MAX_LICENSE_RUN_MINS_PER_USER = "MAX_LICENSE_RUN_MINS_PER_USER", "In the QOS, your running jobs still have as many license minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    MAX_MEMORY_PER_ACCOUNT = "MAX_MEMORY_PER_ACCOUNT", "The account's jobs in the QOS use as much as one account's may: memory. Starts when some of them end."
    MAX_MEMORY_RUN_MINS_PER_ACCOUNT = "MAX_MEMORY_RUN_MINS_PER_ACCOUNT", "In the QOS, the account's running jobs still have as many memory minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    MAX_MEMORY_RUN_MINS_PER_USER = "MAX_MEMORY_RUN_MINS_PER_USER", "In the QOS, your running jobs still have as many memory minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    MAX_MEM_PER_LIMIT = "MAX_MEM_PER_LIMIT", "Asks for more memory per CPU or node than the queue or cluster allows. Ask for less, or for more CPUs."
    MAX_NODE_PER_ACCOUNT = "MAX_NODE_PER_ACCOUNT", "The account's jobs in the QOS use as much as one account's may: nodes. Starts when some of them end."
    MAX_NODE_RUN_MINS_PER_ACCOUNT = "MAX_NODE_RUN_MINS_PER_ACCOUNT", "In the QOS, the account's running jobs still have as many node minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    MAX_NODE_RUN_MINS_PER_USER = "MAX_NODE_RUN_MINS_PER_USER", "In the QOS, your running jobs still have as many node minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    MAX_POWERED_UP_NODES = "MAX_POWERED_UP_NODES", "As many cloud nodes run as the cluster may have at once. Starts when some are powered down."
    MAX_SUBMIT_JOBS_PER_ACCOUNT = "MAX_SUBMIT_JOBS_PER_ACCOUNT", "As many jobs of the account wait or run in the QOS as may at once. Starts when some of them end."
    MAX_UNKNOWN_PER_ACCOUNT = "MAX_UNKNOWN_PER_ACCOUNT", "The account's jobs in the QOS use as much as one account's may: a resource without a name here. Starts when some of them end."
    MAX_UNKNOWN_RUN_MINS_PER_ACCOUNT = "MAX_UNKNOWN_RUN_MINS_PER_ACCOUNT", "In the QOS, the account's running jobs still have as many resource minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    MAX_UNKNOWN_RUN_MINS_PER_USER = "MAX_UNKNOWN_RUN_MINS_PER_USER", "In the QOS, your running jobs still have as many resource minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    MPI_PORTS_BUSY = "MPI_PORTS_BUSY", "All MPI ports that the cluster reserves are in use. Starts when other jobs end."
    NODE_DOWN = "NODE_DOWN", "A node that it needs is down. Starts when the node is back; ask for any other node to start sooner."
    NON_ZERO_EXIT_CODE = "NON_ZERO_EXIT_CODE", "It ended with an exit code other than 0. Look at its output."
    NVIDIA_IMEX_CHANNELS = "NVIDIA_IMEX_CHANNELS", "Waits for an NVIDIA IMEX channel. Starts when other jobs give one back."
    OUT_OF_MEMORY = "OUT_OF_MEMORY", "It used more memory than it had asked for and was ended. Submit it again with more memory."
    PARTITION_CONFIG = "PARTITION_CONFIG", "It breaks a rule of its queue; Slurm does not say which. Choose another queue, or ask for less."
    PARTITION_DOWN = "PARTITION_DOWN", "Its queue is down and starts no jobs. Starts when an administrator opens it; or choose another queue."
    PARTITION_INACTIVE = "PARTITION_INACTIVE", "Its queue is inactive. On ParallelCluster the fleet is stopped, or protected after failed boots. Ask an administrator, or choose another queue."
    PARTITION_NODE_LIMIT = "PARTITION_NODE_LIMIT", "Asks for more or fewer nodes than its queue gives, or nodes that it needs are down. Change the number of nodes, or the queue."
    PARTITION_TIME_LIMIT = "PARTITION_TIME_LIMIT", "Its time limit is longer than its queue allows. Lower it, or choose another queue."
    POWER_NOT_AVAIL = "POWER_NOT_AVAIL", "Waits for electrical power within the cluster's cap. Starts when other jobs end."
    POWER_RESERVED = "POWER_RESERVED", "Electrical power that it needs is reserved for other jobs. Starts when they end."
    PRIORITY = "PRIORITY", "Other jobs are before it in the queue. Starts by itself when its turn comes."
    PROLOG = "PROLOG", "The prolog still prepares its nodes. Starts by itself."
    QOS_GRP_BB = "QOS_GRP_BB", "All jobs of the QOS together use as much as they may: burst buffer space. Starts when some of them end."
    QOS_GRP_BB_MINUTES = "QOS_GRP_BB_MINUTES", "The QOS has spent its budget of burst buffer minutes. Wait until it is renewed, use another QOS, or ask an administrator."
    QOS_GRP_BB_RUN_MINUTES = "QOS_GRP_BB_RUN_MINUTES", "The running jobs of the QOS still have as many burst buffer minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    QOS_GRP_BILLING = "QOS_GRP_BILLING", "All jobs of the QOS together use as much as they may: billing units. Starts when some of them end."
    QOS_GRP_BILLING_MINUTES = "QOS_GRP_BILLING_MINUTES", "The QOS has spent its budget of billing minutes. Wait until it is renewed, use another QOS, or ask an administrator."
    QOS_GRP_BILLING_RUN_MINUTES = "QOS_GRP_BILLING_RUN_MINUTES", "The running jobs of the QOS still have as many billing minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    QOS_GRP_CPU_LIMIT = "QOS_GRP_CPU_LIMIT", "All jobs of the QOS together use as much as they may: CPUs. Starts when some of them end."
    QOS_GRP_CPU_MINUTES_LIMIT = "QOS_GRP_CPU_MINUTES_LIMIT", "The QOS has spent its budget of CPU minutes. Wait until it is renewed, use another QOS, or ask an administrator."
    QOS_GRP_CPU_RUN_MINUTES_LIMIT = "QOS_GRP_CPU_RUN_MINUTES_LIMIT", "The running jobs of the QOS still have as many CPU minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    QOS_GRP_ENERGY = "QOS_GRP_ENERGY", "All jobs of the QOS together use as much as they may: energy. Starts when some of them end."
    QOS_GRP_ENERGY_MINUTES = "QOS_GRP_ENERGY_MINUTES", "The QOS has spent its budget of energy minutes. Wait until it is renewed, use another QOS, or ask an administrator."
    QOS_GRP_ENERGY_RUN_MINUTES = "QOS_GRP_ENERGY_RUN_MINUTES", "The running jobs of the QOS still have as many energy minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    QOS_GRP_GRES = "QOS_GRP_GRES", "All jobs of the QOS together use as much as they may: generic resources (GPUs). Starts when some of them end."
    QOS_GRP_GRES_MINUTES = "QOS_GRP_GRES_MINUTES", "The QOS has spent its budget of generic resource (GPU) minutes. Wait until it is renewed, use another QOS, or ask an administrator."
    QOS_GRP_GRES_RUN_MINUTES = "QOS_GRP_GRES_RUN_MINUTES", "The running jobs of the QOS still have as many generic resource (GPU) minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    QOS_GRP_JOBS_LIMIT = "QOS_GRP_JOBS_LIMIT", "As many jobs of the QOS run as may run at once. Starts when some of them end."
    QOS_GRP_LICENSE = "QOS_GRP_LICENSE", "All jobs of the QOS together use as much as they may: licenses. Starts when some of them end."
    QOS_GRP_LICENSE_MINUTES = "QOS_GRP_LICENSE_MINUTES", "The QOS has spent its budget of license minutes. Wait until it is renewed, use another QOS, or ask an administrator."
    QOS_GRP_LICENSE_RUN_MINUTES = "QOS_GRP_LICENSE_RUN_MINUTES", "The running jobs of the QOS still have as many license minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    QOS_GRP_MEMORY_MINUTES = "QOS_GRP_MEMORY_MINUTES", "The QOS has spent its budget of memory minutes. Wait until it is renewed, use another QOS, or ask an administrator."
    QOS_GRP_MEMORY_RUN_MINUTES = "QOS_GRP_MEMORY_RUN_MINUTES", "The running jobs of the QOS still have as many memory minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    QOS_GRP_MEM_LIMIT = "QOS_GRP_MEM_LIMIT", "All jobs of the QOS together use as much as they may: memory. Starts when some of them end."
    QOS_GRP_NODE_LIMIT = "QOS_GRP_NODE_LIMIT", "All jobs of the QOS together use as much as they may: nodes. Starts when some of them end."
    QOS_GRP_NODE_MINUTES = "QOS_GRP_NODE_MINUTES", "The QOS has spent its budget of node minutes. Wait until it is renewed, use another QOS, or ask an administrator."
    QOS_GRP_NODE_RUN_MINUTES = "QOS_GRP_NODE_RUN_MINUTES", "The running jobs of the QOS still have as many node minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    QOS_GRP_SUBMIT_JOBS_LIMIT = "QOS_GRP_SUBMIT_JOBS_LIMIT", "As many jobs of the QOS wait or run as may at once. Starts when some of them end."
    QOS_GRP_UNKNOWN = "QOS_GRP_UNKNOWN", "All jobs of the QOS together use as much as they may: a resource without a name here. Starts when some of them end."
    QOS_GRP_UNKNOWN_MINUTES = "QOS_GRP_UNKNOWN_MINUTES", "The QOS has spent its budget of resource minutes. Wait until it is renewed, use another QOS, or ask an administrator."
    QOS_GRP_UNKNOWN_RUN_MINUTES = "QOS_GRP_UNKNOWN_RUN_MINUTES", "The running jobs of the QOS still have as many resource minutes before them as they may. Starts as they go on or end; a shorter time limit helps."
    QOS_GRP_WALL_LIMIT = "QOS_GRP_WALL_LIMIT", "The QOS has spent its budget of running time. Wait until it is renewed, use another QOS, or ask an administrator."
    QOS_JOB_LIMIT = "QOS_JOB_LIMIT", "As many jobs of the QOS run as may run at once. Starts when some of them end."
    QOS_MAX_BB_PER_JOB = "QOS_MAX_BB_PER_JOB", "Asks for more than one job of the QOS may have: burst buffer space. Ask for less, or use another QOS."
    QOS_MAX_BB_PER_NODE = "QOS_MAX_BB_PER_NODE", "Asks for more on each node than one job of the QOS may have: burst buffer space. Ask for less per node, or use another QOS."
    QOS_MAX_BB_PER_USER = "QOS_MAX_BB_PER_USER", "Your jobs in the QOS use as much as one user's may: burst buffer space. Starts when some of them end."
    QOS_MAX_BILLING_MINUTES_PER_JOB = "QOS_MAX_BILLING_MINUTES_PER_JOB", "Asks for more billing minutes (amount times time limit) than one job of the QOS may. Ask for less or for less time, or use another QOS."
    QOS_MAX_BILLING_PER_JOB = "QOS_MAX_BILLING_PER_JOB", "Asks for more than one job of the QOS may have: billing units. Ask for less, or use another QOS."
    QOS_MAX_BILLING_PER_NODE = "QOS_MAX_BILLING_PER_NODE", "Asks for more on each node than one job of the QOS may have: billing units. Ask for less per node, or use another QOS."
    QOS_MAX_BILLING_PER_USER = "QOS_MAX_BILLING_PER_USER", "Your jobs in the QOS use as much as one user's may: billing units. Starts when some of them end."
    QOS_MAX_CPU_MINUTES_PER_JOB_LIMIT = "QOS_MAX_CPU_MINUTES_PER_JOB_LIMIT", "Asks for more CPU minutes (amount times time limit) than one job of the QOS may. Ask for less or for less time, or use another QOS."
    QOS_MAX_CPU_PER_JOB_LIMIT = "QOS_MAX_CPU_PER_JOB_LIMIT", "Asks for more than one job of the QOS may have: CPUs. Ask for less, or use another QOS."
    QOS_MAX_CPU_PER_NODE = "QOS_MAX_CPU_PER_NODE", "Asks for more on each node than one job of the QOS may have: CPUs. Ask for less per node, or use another QOS."
    QOS_MAX_CPU_PER_USER_LIMIT = "QOS_MAX_CPU_PER_USER_LIMIT", "Your jobs in the QOS use as much as one user's may: CPUs. Starts when some of them end."
    QOS_MAX_ENERGY_MINUTES_PER_JOB = "QOS_MAX_ENERGY_MINUTES_PER_JOB", "Asks for more energy minutes (amount times time limit) than one job of the QOS may. Ask for less or for less time, or use another QOS."
    QOS_MAX_ENERGY_PER_JOB = "QOS_MAX_ENERGY_PER_JOB", "Asks for more than one job of the QOS may have: energy. Ask for less, or use another QOS."
    QOS_MAX_ENERGY_PER_NODE = "QOS_MAX_ENERGY_PER_NODE", "Asks for more on each node than one job of the QOS may have: energy. Ask for less per node, or use another QOS."
    QOS_MAX_ENERGY_PER_USER = "QOS_MAX_ENERGY_PER_USER", "Your jobs in the QOS use as much as one user's may: energy. Starts when some of them end."
    QOS_MAX_GRES_MINUTES_PER_JOB = "QOS_MAX_GRES_MINUTES_PER_JOB", "Asks for more generic resource (GPU) minutes (amount times time limit) than one job of the QOS may. Ask for less or for less time, or use another QOS."
    QOS_MAX_GRES_PER_JOB = "QOS_MAX_GRES_PER_JOB", "Asks for more than one job of the QOS may have: generic resources (GPUs). Ask for less, or use another QOS."
    QOS_MAX_GRES_PER_NODE = "QOS_MAX_GRES_PER_NODE", "Asks for more on each node than one job of the QOS may have: generic resources (GPUs). Ask for less per node, or use another QOS."
    QOS_MAX_GRES_PER_USER = "QOS_MAX_GRES_PER_USER", "Your jobs in the QOS use as much as one user's may: generic resources (GPUs). Starts when some of them end."
    QOS_MAX_JOBS_PER_USER_LIMIT = "QOS_MAX_JOBS_PER_USER_LIMIT", "As many of your jobs run in the QOS as may run at once. Starts when some of them end."
    QOS_MAX_LICENSE_MINUTES_PER_JOB = "QOS_MAX_LICENSE_MINUTES_PER_JOB", "Asks for more license minutes (amount times time limit) than one job of the QOS may. Ask for less or for less time, or use another QOS."
    QOS_MAX_LICENSE_PER_JOB = "QOS_MAX_LICENSE_PER_JOB", "Asks for more than one job of the QOS may have: licenses. Ask for less, or use another QOS."
    QOS_MAX_LICENSE_PER_USER = "QOS_MAX_LICENSE_PER_USER", "Your jobs in the QOS use as much as one user's may: licenses. Starts when some of them end."
    QOS_MAX_MEMORY_MINUTES_PER_JOB = "QOS_MAX_MEMORY_MINUTES_PER_JOB", "Asks for more memory minutes (amount times time limit) than one job of the QOS may. Ask for less or for less time, or use another QOS."
    QOS_MAX_MEMORY_PER_JOB = "QOS_MAX_MEMORY_PER_JOB", "Asks for more than one job of the QOS may have: memory. Ask for less, or use another QOS."
    QOS_MAX_MEMORY_PER_NODE = "QOS_MAX_MEMORY_PER_NODE", "Asks for more on each node than one job of the QOS may have: memory. Ask for less per node, or use another QOS."
    QOS_MAX_MEMORY_PER_USER = "QOS_MAX_MEMORY_PER_USER", "Your jobs in the QOS use as much as one user's may: memory. Starts when some of them end."
    QOS_MAX_NODE_MINUTES_PER_JOB = "QOS_MAX_NODE_MINUTES_PER_JOB", "Asks for more node minutes (amount times time limit) than one job of the QOS may. Ask for less or for less time, or use another QOS."
    QOS_MAX_NODE_PER_JOB_LIMIT = "QOS_MAX_NODE_PER_JOB_LIMIT", "Asks for more than one job of the QOS may have: nodes. Ask for less, or use another QOS."
    QOS_MAX_NODE_PER_USER_LIMIT = "QOS_MAX_NODE_PER_USER_LIMIT", "Your jobs in the QOS use as much as one user's may: nodes. Starts when some of them end."
    QOS_MAX_SUBMIT_JOB_PER_USER_LIMIT = "QOS_MAX_SUBMIT_JOB_PER_USER_LIMIT", "As many of your jobs wait or run in the QOS as may at once. Starts when some of them end."
    QOS_MAX_UNKNOWN_MINUTES_PER_JOB = "QOS_MAX_UNKNOWN_MINUTES_PER_JOB", "Asks for more resource minutes (amount times time limit) than one job of the QOS may. Ask for less or for less time, or use another QOS."
    QOS_MAX_UNKNOWN_PER_JOB = "QOS_MAX_UNKNOWN_PER_JOB", "Asks for more than one job of the QOS may have: a resource without a name here. Ask for less, or use another QOS."
    QOS_MAX_UNKNOWN_PER_NODE = "QOS_MAX_UNKNOWN_PER_NODE", "Asks for more on each node than one job of the QOS may have: a resource without a name here. Ask for less per node, or use another QOS."
    QOS_MAX_UNKNOWN_PER_USER = "QOS_MAX_UNKNOWN_PER_USER", "Your jobs in the QOS use as much as one user's may: a resource without a name here. Starts when some of them end."
    QOS_MAX_WALL_DURATION_PER_JOB_LIMIT = "QOS_MAX_WALL_DURATION_PER_JOB_LIMIT", "Asks for more time than one job of the QOS may have. Lower its time limit, or use another QOS."
    QOS_MIN_BB = "QOS_MIN_BB", "Asks for less than the QOS demands: burst buffer space. Ask for more, or use another QOS."
    QOS_MIN_BILLING = "QOS_MIN_BILLING", "Asks for less than the QOS demands: billing units. Ask for more, or use another QOS."
    QOS_MIN_CPU_NOT_SATISFIED = "QOS_MIN_CPU_NOT_SATISFIED", "Asks for less than the QOS demands: CPUs. Ask for more, or use another QOS."
    QOS_MIN_ENERGY = "QOS_MIN_ENERGY", "Asks for less than the QOS demands: energy. Ask for more, or use another QOS."
    QOS_MIN_GRES = "QOS_MIN_GRES", "Asks for less than the QOS demands: generic resources (GPUs). Ask for more, or use another QOS."
    QOS_MIN_LICENSE = "QOS_MIN_LICENSE", "Asks for less than the QOS demands: licenses. Ask for more, or use another QOS."
    QOS_MIN_MEMORY = "QOS_MIN_MEMORY", "Asks for less than the QOS demands: memory. Ask for more, or use another QOS."
    QOS_MIN_NODE = "QOS_MIN_NODE", "Asks for less than the QOS demands: nodes. Ask for more, or use another QOS."
    QOS_MIN_UNKNOWN = "QOS_MIN_UNKNOWN", "Asks for less than the QOS demands: a resource without a name here. Ask for more, or use another QOS."
    QOS_NOT_ALLOWED = "QOS_NOT_ALLOWED", "The queue or the account does not allow its QOS. Choose another QOS, queue or account."
    QOS_RESOURCE_LIMIT = "QOS_RESOURCE_LIMIT", "The QOS gives no more resources at the moment. Starts when some of its jobs end."
    QOS_TIME_LIMIT = "QOS_TIME_LIMIT", "The QOS has spent its budget of running time. Wait until it is renewed, use another QOS, or ask an administrator."
    QOS_USAGE_THRESHOLD = "QOS_USAGE_THRESHOLD", "Your usage is above what the QOS allows. Starts once it has decayed; or use another QOS."
    RAISED_SIGNAL = "RAISED_SIGNAL", "A signal ended it; its exit signal says which. Look at its output."
    REQ_NODE_NOT_AVAIL = "REQ_NODE_NOT_AVAIL", "Nodes that it needs are down, drained, or reserved for others. Starts when they are back; ask for any other nodes to start sooner."
    RESERVATION = "RESERVATION", "Waits for its reservation to begin, or to have room."
    RESERVATION_DELETED = "RESERVATION_DELETED", "Its reservation was deleted. Choose another or none, then release it."
    RESERVATION_INVALID = "RESERVATION_INVALID", "Its reservation is not valid any more. Choose another or none, then release it."
    RESOURCES = "RESOURCES", "Its turn has come, and it waits for enough nodes, CPUs, memory or GPUs to be free. Starts by itself."
    SCHED_DEFER = "SCHED_DEFER", "The scheduler is not trying to start jobs one by one at the moment. Starts by itself."
    SYSTEM_FAILURE = "SYSTEM_FAILURE", "Slurm, a file system or the network failed. Submit it again; if that fails too, ask an administrator."
    TIME_LIMIT = "TIME_LIMIT", "It reached its time limit and was ended. Submit it again with a longer one."
    UNKNOWN = "UNKNOWN", "A reason this API does not know; `reason` has the scheduler's own words."
    # fmt: on


class CapacityCode(DescribedEnum):
    """Why EC2 started no instance for a node, as ParallelCluster notes it in the node's reason."""

    # fmt: off
    INSUFFICIENT_INSTANCE_CAPACITY = "INSUFFICIENT_INSTANCE_CAPACITY", "EC2 has no such instance free in the zone. ParallelCluster tries again after some minutes; another instance type, zone or purchase option may start sooner."
    INSUFFICIENT_HOST_CAPACITY = "INSUFFICIENT_HOST_CAPACITY", "EC2 has no such dedicated host free. ParallelCluster tries again after some minutes."
    INSUFFICIENT_RESERVED_INSTANCE_CAPACITY = "INSUFFICIENT_RESERVED_INSTANCE_CAPACITY", "The capacity reservation is used up. Starts when some of it is free; or choose a queue without it."
    RESERVATION_CAPACITY_EXCEEDED = "RESERVATION_CAPACITY_EXCEEDED", "The capacity reservation has too few instances. Starts when some of it is free; or choose a queue without it."
    INSUFFICIENT_CAPACITY = "INSUFFICIENT_CAPACITY", "EC2 has too little capacity at the moment. ParallelCluster tries again after some minutes."
    LIMITED_INSTANCE_CAPACITY = "LIMITED_INSTANCE_CAPACITY", "EC2 gave fewer instances than the job needs, so none were kept. ParallelCluster tries again; fewer nodes may start sooner."
    INSUFFICIENT_VOLUME_CAPACITY = "INSUFFICIENT_VOLUME_CAPACITY", "EBS has too little capacity for the node's volume in the zone. Try later, or another volume type or zone."
    INSUFFICIENT_FREE_ADDRESSES_IN_SUBNET = "INSUFFICIENT_FREE_ADDRESSES_IN_SUBNET", "The queue's subnet has no free address. Starts when other nodes stop; an administrator can add a larger subnet."
    MAX_SPOT_INSTANCE_COUNT_EXCEEDED = "MAX_SPOT_INSTANCE_COUNT_EXCEEDED", "The AWS account's limit of Spot Instances is reached. Starts when others stop; or ask AWS for a higher limit."
    SPOT_MAX_PRICE_TOO_LOW = "SPOT_MAX_PRICE_TOO_LOW", "The queue's highest Spot price is below the present price. Starts when the price falls; or choose an on-demand queue."
    UNSUPPORTED = "UNSUPPORTED", "The instance type is not offered in the zone or with these settings. Choose another queue, or ask an administrator."
    VCPU_LIMIT_EXCEEDED = "VCPU_LIMIT_EXCEEDED", "The AWS account's vCPU limit for this kind of instance is reached. Starts when others stop; or ask AWS for a higher limit."
    INSTANCE_LIMIT_EXCEEDED = "INSTANCE_LIMIT_EXCEEDED", "The AWS account's limit of such instances is reached. Starts when others stop; or ask AWS for a higher limit."
    VOLUME_LIMIT_EXCEEDED = "VOLUME_LIMIT_EXCEEDED", "The AWS account's limit of EBS volumes is reached. Starts when others are deleted; or ask AWS for a higher limit."
    REQUEST_LIMIT_EXCEEDED = "REQUEST_LIMIT_EXCEEDED", "EC2 took no more requests from the AWS account at that moment. ParallelCluster tries again."
    UNAUTHORIZED_OPERATION = "UNAUTHORIZED_OPERATION", "The head node may not start such instances. An administrator must correct its IAM policy."
    UNKNOWN = "UNKNOWN", "A code of EC2 that this API does not know; the node's reason has it."
    # fmt: on


# Sentences that slurmctld writes in place of a code (read in 20.11 to 26.05); the first match counts.
_SENTENCES = [
    (r"Nodes required for job are DOWN, DRAINED", ReasonCode.REQ_NODE_NOT_AVAIL),
    (r"job requeued in (held|special exit) state", ReasonCode.JOB_HELD_USER),
    (r"launch failure limit exceeded", ReasonCode.JOB_HOLD_MAX_REQUEUE),
    (r"(launch|user env retrieval) failed requeued held", ReasonCode.JOB_LAUNCH_FAILURE),
    (r"uid \d+ not in group permitted to use this partition", ReasonCode.ACCOUNT_NOT_ALLOWED),
    (r"Reservation \S+ was deleted", ReasonCode.RESERVATION_DELETED),
    (r"Reservation \S+ is invalid", ReasonCode.RESERVATION_INVALID),
    (r"Reservation \S+, which this job was running under, has ended", ReasonCode.TIME_LIMIT),
    (r"Job is at or exceeds QOS .*group wall limit", ReasonCode.QOS_GRP_WALL_LIMIT),
    (r"Job is at or exceeds QOS ", ReasonCode.QOS_RESOURCE_LIMIT),
    (r"Job is at or exceeds association .*group wall limit", ReasonCode.ASSOC_GRP_WALL_LIMIT),
    (r"Job is at or exceeds association ", ReasonCode.ASSOCIATION_RESOURCE_LIMIT),
    (
        r"(?i)(.*: )?(burst buffer|stage-out in progress|error managing persistent burst)",
        ReasonCode.BURST_BUFFER_OPERATION,
    ),
    (r"Unable to load job (batch script|environment)", ReasonCode.SYSTEM_FAILURE),
]

_NONE = frozenset({"", "none", "null"})


def _token(text: str) -> str:
    """A code without its spelling: `QOSMaxJobsPerUserLimit` and QOS_MAX_JOBS_PER_USER_LIMIT are one."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


_REASONS = {_token(code.value): code for code in ReasonCode}
_CAPACITY = {_token(code.value): code for code in CapacityCode}


def reason_code(text: str) -> ReasonCode | None:
    """The code of squeue's Reason column; None for no reason, UNKNOWN for words that no release has.

    It may be a code (`Resources`), a code with details (`ReqNodeNotAvail, UnavailableNodes:queue1-dy-large-[1-4]`,
    `RaisedSignal:9(Killed)`), the codes of an array's tasks in one row (`Resources,None`: the first that says
    something), or a sentence.
    """
    for sentence, code in _SENTENCES:
        if re.match(sentence, text):
            return code
    tokens = [_token(part) for part in re.split(r"[,:(]", text)]
    for token in tokens:
        if token in _REASONS:
            return _REASONS[token]
    return None if all(token in _NONE for token in tokens) else ReasonCode.UNKNOWN


def capacity_code(node_reason: str) -> CapacityCode | None:
    """The code in `(Code:InsufficientInstanceCapacity)Failure when resuming nodes`; None if the reason has none.

    sinfo: Reason. ParallelCluster writes the code since 3.0 when EC2 gives no instance.
    """
    match = re.match(r"\(Code:\s*(?:Server\.|Client\.)?([^)]*)\)", node_reason)
    return _CAPACITY.get(_token(match[1]), CapacityCode.UNKNOWN) if match else None
