"""IAM for the local endpoints: they refuse what the deployed role may not do."""

from .policy import Policy
from .role import ACCOUNT, FUNCTION, function_policy

__all__ = ["ACCOUNT", "FUNCTION", "Policy", "function_policy"]
