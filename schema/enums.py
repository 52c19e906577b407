"""The enums, each value described where its meaning is defined."""

from access.role import JobVisibility, Role
from resolvers.job import JobSource
from resolvers.order import JobOrderField, OrderDirection
from resolvers.output import OutputFrom, OutputStream
from schema.table import enum
from slurm.dependency import DependencyKind, DependencyState
from slurm.job_action import SignalTarget
from slurm.job_environment import Export
from slurm.node_update import NodeAction
from slurm.partition_update import QueueAction
from slurm.reason import CapacityCode, ReasonCode
from slurm.refusal import RefusalCode
from slurm.reservation import ReservationFlag, ReservationState
from slurm.sbatch import MailType, OpenMode
from slurm.states import JobState, NodeFlag, NodeState, Provisioning, QueueState

UserErrorCode = RefusalCode

for _enum in (JobState, QueueState, NodeState, NodeFlag, Provisioning, Role, JobOrderField, OrderDirection):
    enum(_enum)
enum(ReservationState)
enum(JobVisibility)
enum(JobSource)
enum(UserErrorCode, name="UserErrorCode")
for _input in (Export, MailType, OpenMode, SignalTarget, NodeAction, QueueAction, ReservationFlag):
    enum(_input)
for _detail in (ReasonCode, CapacityCode, OutputStream, OutputFrom, DependencyKind, DependencyState):
    enum(_detail)

__all__ = [
    "CapacityCode",
    "DependencyKind",
    "DependencyState",
    "JobOrderField",
    "JobSource",
    "JobState",
    "JobVisibility",
    "NodeFlag",
    "NodeState",
    "OrderDirection",
    "OutputFrom",
    "OutputStream",
    "Provisioning",
    "QueueState",
    "ReasonCode",
    "Role",
    "SignalTarget",
    "UserErrorCode",
]
