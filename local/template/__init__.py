"""template.yaml as data: read, its functions resolved for a deployment, and the SSM document written into it."""

from .deployment import Deployment
from .source import TEMPLATE, read

__all__ = ["TEMPLATE", "Deployment", "read"]
