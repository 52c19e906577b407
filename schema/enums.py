"""The enums, each value described where its meaning is defined."""

from access.role import Role as _Role
from resolvers.graph import JobOrderField as _JobOrderField
from resolvers.graph import OrderDirection as _OrderDirection
from schema.table import enum
from slurm import states
from slurm.refusal import RefusalCode

JobState = enum(states.JobState)
QueueState = enum(states.QueueState)
NodeState = enum(states.NodeState)
NodeFlag = enum(states.NodeFlag)
Provisioning = enum(states.Provisioning)
Role = enum(_Role)
JobOrderField = enum(_JobOrderField)
OrderDirection = enum(_OrderDirection)
UserErrorCode = enum(RefusalCode, name="UserErrorCode")
