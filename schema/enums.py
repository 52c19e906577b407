"""The enums, each value described where its meaning is defined."""

from access.role import Role
from resolvers.order import JobOrderField, OrderDirection
from schema.table import enum
from slurm.refusal import RefusalCode
from slurm.sbatch import Export, MailType, OpenMode
from slurm.states import JobState, NodeFlag, NodeState, Provisioning, QueueState

UserErrorCode = RefusalCode

for _enum in (JobState, QueueState, NodeState, NodeFlag, Provisioning, Role, JobOrderField, OrderDirection):
    enum(_enum)
enum(UserErrorCode, name="UserErrorCode")
for _input in (Export, MailType, OpenMode):
    enum(_input)

__all__ = [
    "JobOrderField",
    "JobState",
    "NodeFlag",
    "NodeState",
    "OrderDirection",
    "Provisioning",
    "QueueState",
    "Role",
    "UserErrorCode",
]
