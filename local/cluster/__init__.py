"""A private, real Slurm on this machine that looks like ParallelCluster."""

from local.cluster.cluster import Cluster, ClusterError
from local.cluster.users import DemoUser

__all__ = ["Cluster", "ClusterError", "DemoUser"]
