"""Slurm's language and nothing else: build commands, parse output."""
