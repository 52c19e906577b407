"""The inputs, each field described where it is used."""

from resolvers import actions, filters, graph
from schema import enums  # noqa: F401 - the inputs' enums must be GraphQL enums first
from schema.table import TYPES, input_type
from slurm import sbatch

JobFilter = input_type(filters.JobFilter, ids=("ids",))
NodeFilter = input_type(filters.NodeFilter)
JobOrder = input_type(graph.JobOrder)
EnvironmentVariable = TYPES[sbatch.EnvironmentVariable] = input_type(sbatch.EnvironmentVariable)
SubmitJobInput = input_type(sbatch.Submission, name="SubmitJobInput")
CancelJobsInput = input_type(actions.CancelJobs, name="CancelJobsInput", ids=("ids",))
