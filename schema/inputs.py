"""The inputs, each field described where it is used."""

from typing import TYPE_CHECKING

from resolvers import actions, filters, order
from schema import enums  # noqa: F401 - the inputs' enums must be GraphQL enums first
from schema.table import TYPES, input_type
from slurm import sbatch

if TYPE_CHECKING:  # what a type checker sees: the dataclasses that the inputs are made from
    JobFilter = filters.JobFilter
    NodeFilter = filters.NodeFilter
    JobOrder = order.JobOrder
    SubmitJobInput = sbatch.Submission
    CancelJobsInput = actions.CancelJobs
else:
    JobFilter = input_type(filters.JobFilter, ids=("ids",))
    NodeFilter = input_type(filters.NodeFilter)
    JobOrder = input_type(order.JobOrder)
    TYPES[sbatch.EnvironmentVariable] = input_type(sbatch.EnvironmentVariable)
    SubmitJobInput = input_type(sbatch.Submission, name="SubmitJobInput")
    TYPES[filters.JobFilter] = JobFilter
    CancelJobsInput = input_type(actions.CancelJobs, name="CancelJobsInput", ids=("ids",))
