"""Lists of objects, executed column by column.

graphql-core completes a list item by item and field by field. That takes about 3 us per field, and 10,000 jobs with 12
fields have 120,000. Nearly all of our fields are plain: an attribute, no argument, nothing to await. A list whose
selected fields are all plain, at any depth, is compiled: each selected field becomes a column of values, which is
completed as a whole, and the rows of the response are made from the columns. An object that is in many rows, such as a
queue, is completed once.

The hook is one method of graphql-core's executor, `complete_iterable_value`. It is called for every list, after the
list's own field is resolved, and it can always call the original method instead. It does so for everything that cannot
be compiled (a field with a resolver or arguments, a directive other than @skip and @include, an interface) and for
everything that would be an error (a null in a field that cannot be null, a value of a wrong type, an exception).
`tally` counts these cases. A compiled list therefore never has errors: graphql-core itself makes all errors, with their
order, paths and nulls. An attribute may be read twice for that; reading it has no side effect.

What the response will hold is counted before it is made (resolvers/budget.py), in compiled lists as in all others. Too
much of it stops the execution as a whole: this error is not left to graphql-core.

tests/schema/execution/ compares the two with random documents and data. With a version of graphql-core other than the
tested one, nothing is compiled; it is still counted.
"""

from schema.execution.executor import TESTED, executor_class
from schema.execution.surprise import COMPILED, tally

__all__ = ["COMPILED", "TESTED", "executor_class", "tally"]
