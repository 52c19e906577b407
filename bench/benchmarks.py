"""What `make bench` measures."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from bench import growth, load, many_sandboxes, start_up, whole_queue
from bench.figures import Figure

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Benchmark:
    """A description and the function that yields the figures."""

    about: str
    measure: Callable[[Progress], Iterator[Figure]]


BENCHMARKS: Mapping[str, Benchmark] = {
    "queue-22.05": Benchmark(
        "10,000 jobs against slurmrestd and squeue --json of Slurm 22.05", partial(whole_queue.measure, "bookworm")
    ),
    "queue-24.11": Benchmark(
        "10,000 jobs against slurmrestd and squeue --json of Slurm 24.11", partial(whole_queue.measure, "trixie")
    ),
    "growth": Benchmark("1,000 to 100,000 jobs, and the handler's memory", growth.measure),
    "sandboxes": Benchmark("20 sandboxes x 50 requests: commands on the head node", many_sandboxes.measure),
    "load": Benchmark("200 pollers on the local gateway", load.measure),
    "start-up": Benchmark("a sandbox's init against a plain sam build's", start_up.measure),
}
