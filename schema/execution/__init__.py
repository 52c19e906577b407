"""Lists of objects, executed column by column.

graphql-core completes a list item by item and field by field: some 3 us for each of 120,000 fields of 10,000 jobs.
Nearly all of our fields are plain: an attribute, no argument, nothing to await. A list whose selected fields are all
plain, at any depth, is compiled: each selected field becomes a column of values, is completed as a whole, and the rows
of the response are made of the columns. What stands in many rows, such as a queue, is completed once.

The hook is one method of graphql-core's executor, `complete_iterable_value`: it is called for every list, by then the
list's own field has been resolved, and calling the original instead is always possible. So whatever cannot be
compiled (a field with a resolver or arguments, another directive than @skip and @include, an interface) and whatever
would be an error (a null that must not be, a value that does not fit, an exception) goes graphql-core's own way, and
`tally` counts it. A compiled list has no errors: their order, paths and nulls are always graphql-core's own. Attributes
may be read twice for that; reading one has no side effect.

tests/schema/execution/ holds the two against each other with random documents and data. With another version of
graphql-core than the one tested there, nothing is compiled.
"""

from schema.execution.executor import TESTED, executor_class
from schema.execution.surprise import COMPILED, tally

__all__ = ["COMPILED", "TESTED", "executor_class", "tally"]
