"""Tests of the private Slurm clusters."""
