"""The GPUs of a job, from the columns of squeue that may hold them."""

from slurm.gres import requested_gpus
from slurm.text import integer, small
from slurm.tres import Gpus, gpus_allocated, tres

# sbatch takes a number per socket only together with the number of sockets of each node.
COLUMNS = (
    "tres-alloc",
    "tres-per-job",
    "tres-per-node",
    "tres-per-socket",
    "tres-per-task",
    "NumNodes",
    "Sockets",
    "NumTasks",
)


def node_count(tres_alloc: str, nodes: str) -> int | None:
    """For a waiting job squeue guesses NumNodes from the largest node that it sees; it sees no powered-down nodes."""
    return integer(tres(tres_alloc).get("node", nodes))


def _gpus(
    tres_alloc: str, per_job: str, per_node: str, per_socket: str, per_task: str, nodes: str, sockets: str, tasks: str
) -> Gpus | None:
    """Allocated GPUs if AccountingStorageTRES counts them (ParallelCluster's does not), else those asked for."""
    if allocated := gpus_allocated(tres_alloc):
        return allocated
    if whole := requested_gpus(per_job):
        return whole
    count = node_count(tres_alloc, nodes)
    for request, times in (
        (requested_gpus(per_node), count),
        (requested_gpus(per_socket), count * int(sockets) if count and sockets.isdigit() else None),
        (requested_gpus(per_task), integer(tasks)),
    ):
        if request and times:
            return Gpus(request.count * times, request.model)
    return None


def gpu_count(*columns: str) -> int | None:
    """How many GPUs, from the texts of COLUMNS; None for none. Raises ParseError."""
    gpus = _gpus(*columns)
    return small(gpus.count) if gpus else None


def gpu_type(*columns: str) -> str | None:
    """Their model, from the texts of COLUMNS; None if any will do. Raises ParseError."""
    gpus = _gpus(*columns)
    return gpus.model if gpus else None
