"""The program of the head node as one text: the modules of headnode/program/, joined.

The head node gets no files, only a text to execute. Every module comes after those that it imports. Their imports of
each other and of typing are removed (annotations are strings); each module of the standard library is imported once.
Docstrings, comments and blank lines are removed, too: they are a third of the document, which shares SSM's 100,000
bytes with the request.

Compiling the text takes a quarter of the program's start. So modules that are imported only inside functions are in
the text as a string, and `later()` in the place of such an import compiles them: most requests need none of them.
"""

import ast
import io
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path

PACKAGE = Path(__file__).with_name("program")
_PREFIX = "headnode.program."
_LATER = """\
LATER = [{text!r}]
def later():
    if LATER:
        exec(LATER.pop(), globals())
"""
"""What compiles the other modules once, when the first of them is needed."""


class JoinError(Exception):
    """A module of the program has an import that cannot be joined, or a name that another module has too."""


def joined(package: Path = PACKAGE) -> str:
    """The program. Raises JoinError."""
    first = _in_order(package, "main", [])
    every = list(first)
    for module in every:  # which grows
        for name in module.imported_later:
            _in_order(package, name, every)
    names = [name for module in every for name in module.names]
    if twice := {name for name in names if names.count(name) > 1}:
        raise JoinError(f"more than one module has {', '.join(sorted(twice))}")
    later = every[len(first) :]
    return _text(first, _LATER.format(text=_text(later)) if later else "")


def _text(modules: Sequence["_Module"], before_last: str = "") -> str:
    """The modules' imports of the standard library, and the modules. The last one may run at once."""
    libraries = sorted({library for module in modules for library in module.libraries})
    bodies = [f"# headnode/program/{module.name}.py\n{module.body}\n" for module in modules]
    return "".join([*(f"import {library}\n" for library in libraries), *bodies[:-1], before_last, bodies[-1]])


def _in_order(package: Path, name: str, known: list["_Module"]) -> list["_Module"]:
    """Add the modules that one needs, each after those that it imports; otherwise in the order of the imports."""
    if name not in [module.name for module in known]:
        module = _Module(package, name)
        for imported in module.imported:
            _in_order(package, imported, known)
        known.append(module)
    return known


class _Module:
    """One module, taken apart: what it imports, the names that it defines, and the code that is left."""

    def __init__(self, package: Path, name: str) -> None:
        self.name = name
        source = (package / f"{name}.py").read_text(encoding="utf-8")
        tree = ast.parse(source)
        self.imported: list[str] = []
        self.imported_later: list[str] = []
        self.libraries: list[str] = []
        lines = source.splitlines()
        for statement in [*self._imports(tree), *_docstrings(tree)]:
            lines[statement.lineno - 1 : statement.end_lineno] = [""] * len(
                lines[statement.lineno - 1 : statement.end_lineno]
            )
        for statement in self._imports_later(tree):
            blank = [""] * ((statement.end_lineno or statement.lineno) - statement.lineno)
            lines[statement.lineno - 1 : statement.end_lineno] = [" " * statement.col_offset + "later()", *blank]
        for comment in _comments(source):
            row, column = comment.start
            lines[row - 1] = lines[row - 1][:column].rstrip()
        self.body = "\n".join(line for line in lines if line)
        self.names = [name for statement in tree.body for name in _defined(statement)]

    def _imports(self, tree: ast.Module) -> Iterator[ast.stmt]:
        for statement in tree.body:
            if isinstance(statement, ast.Import):
                self.libraries += [alias.name for alias in statement.names]
            elif isinstance(statement, ast.ImportFrom) and (statement.module or "").startswith(_PREFIX):
                self.imported.append((statement.module or "").removeprefix(_PREFIX))
            elif isinstance(statement, ast.ImportFrom) and statement.module != "typing":
                raise JoinError(f"{self.name}: from {statement.module} import ...; import the module instead")
            if isinstance(statement, ast.Import | ast.ImportFrom):
                self._require_own_names(statement)
                yield statement

    def _imports_later(self, tree: ast.Module) -> Iterator[ast.stmt]:
        """The imports of the program's modules inside functions."""
        at_top = set(tree.body)
        for statement in ast.walk(tree):
            if not isinstance(statement, ast.ImportFrom) or statement in at_top:
                continue
            if (statement.module or "").startswith(_PREFIX):
                self._require_own_names(statement)
                self.imported_later.append((statement.module or "").removeprefix(_PREFIX))
                yield statement

    def _require_own_names(self, statement: ast.Import | ast.ImportFrom) -> None:
        if any(alias.asname for alias in statement.names):
            raise JoinError(f"{self.name}: import {statement.names[0].name} as another name")


def _defined(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [statement.name]
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    return [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]


def _docstrings(tree: ast.Module) -> Iterator[ast.stmt]:
    for part in ast.walk(tree):
        if isinstance(part, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(part) is not None:
            yield part.body[0]


def _comments(source: str) -> Iterator[tokenize.TokenInfo]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return (token for token in tokens if token.type == tokenize.COMMENT)
