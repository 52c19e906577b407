"""Reads template.yaml, resolves its functions for a deployment, and writes the SSM document into it."""

from .deployment import Deployment
from .source import TEMPLATE, read

__all__ = ["TEMPLATE", "Deployment", "read"]
