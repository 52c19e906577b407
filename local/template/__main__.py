"""`make template`: write the SSM document into template.yaml."""

from .document import write
from .source import TEMPLATE

print(f"{TEMPLATE.name}: {'written' if write(TEMPLATE) else 'the document is up to date'}")
