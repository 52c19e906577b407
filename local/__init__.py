"""Development: a real private Slurm, an SSM endpoint that really executes, a local API Gateway."""
