"""A plugin of ariadne-codegen: a value that a newer release of the API adds to an enum reads as UNKNOWN."""

import ast

from ariadne_codegen.plugins.base import Plugin
from graphql import GraphQLEnumType

METHOD = """
@classmethod
def _missing_(cls, value: object) -> "{name}":
    return cls.UNKNOWN
"""


class OpenEnums(Plugin):
    """Acts on every enum that has UNKNOWN."""

    def generate_enum(self, class_def: ast.ClassDef, enum_type: GraphQLEnumType) -> ast.ClassDef:
        """Add the method that Python calls for a value that the enum has not."""
        if "UNKNOWN" in enum_type.values:
            class_def.body += ast.parse(METHOD.format(name=class_def.name)).body
        return class_def
