"""`make bench`: measures slurmql against its peers, on the same real Slurm and in the same run."""
