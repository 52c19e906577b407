"""`make bench`: what slurmql costs, against its peers on the same real Slurm in the same run."""
