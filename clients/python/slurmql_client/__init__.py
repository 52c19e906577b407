"""A typed client of slurmql's API. `generated` is ariadne-codegen's; `jobs` submits and waits."""
