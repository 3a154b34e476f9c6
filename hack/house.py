"""Print what a package is made of, in figures: `python hack/house.py [FOLDER]`; without one, of `operator/ocijobs`.

Complexity is counted as radon counts it: boolean operators, the `if`s of comprehensions and assertions count, too, and
a function in a function is a function of its own.
"""

from __future__ import annotations

import ast
import io
import math
import re
import statistics
import sys
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOST_COMPLEX = 10
MOST_PARAMETERS = 5
LONG_MODULE, SHORT_MODULE = 300, 40

KEPT = {
    "ocijobs.cli.ads_export_data_science:_runtime": "a case for each kind of runtime",
    "ocijobs.reconcile.job.adoption:look": "what speaks against adopting, in the order in which it is told",
    "ocijobs.backends.data_flow.application:spark_settings": "a field after the other, the run's or the job's",
    "ocijobs.reconcile.job.creation:_bind": "a status whose fields are each told as far as they are known",
    "ocijobs.reconcile.job.creation:_look": "what an open intent says, and does, step by step",
    "ocijobs.reconcile.job.removal:excess_revisions": "the sorts of revisions, one comprehension each",
    "ocijobs.reconcile.job.place:find_place": "identity, compartment and project, each recorded, found or missing",
    "ocijobs.reconcile.job.reading:_due": "what makes a reading due, in the order in which it counts",
    "ocijobs.reconcile.run.finalizing:finalize": "the steps of a deletion, in order",
    "ocijobs.reconcile.run.following:_first_look_worthwhile": "one condition, told in its parts",
    "ocijobs.reconcile.run.following:_status": "what a run says that is alive, in the order in which it counts",
    "ocijobs.reconcile.run.following:follow": "what may be the matter with a run, in the order in which it counts",
    "ocijobs.reconcile.run.status:reflect": "a field after the other, OCI's or the former one",
    "ocijobs.reconcile.run.failure_policy:evaluate": "the ends of an attempt, in the order in which they count",
    "ocijobs.reconcile.stepped:_moved": "a case for each kind of value",
}
"""Functions that read better whole, although they are more complex than `MOST_COMPLEX`, and why."""

Def = ast.FunctionDef | ast.AsyncFunctionDef
_SUPPRESSIONS = {"noqa": re.compile(r"#\s*noqa\b"), "type: ignore": re.compile(r"#\s*type: ignore")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function or a method: where it is, and how large."""

    module: str
    name: str
    lines: int
    complexity: int
    parameters: int

    def __str__(self) -> str:
        return f"{self.module}:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A module: its name, its text, and what that says.

    Attributes:
        imports: modules of the same package that it imports, in functions or outside; those for types alone left out.
    """

    name: str
    package: str
    text: str
    tree: ast.Module
    functions: tuple[Function, ...]
    imports: frozenset[str]

    @property
    def lines(self) -> int:
        """Lines of the file."""
        return self.text.count("\n")


def complexity(function: Def) -> int:
    """Return one more than the branches of a function."""
    return 1 + sum(_branches(node) for statement in function.body for node in _own(statement))


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and all below it but for functions in it."""
    if isinstance(node, Def):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _own(child)


def _branches(node: ast.AST) -> int:
    match node:
        case ast.If() | ast.IfExp() | ast.Assert():
            return 1
        case ast.For() | ast.AsyncFor() | ast.While():
            return 1 + bool(node.orelse)
        case ast.Try():
            return len(node.handlers) + bool(node.orelse)
        case ast.BoolOp():
            return len(node.values) - 1
        case ast.comprehension():
            return 1 + len(node.ifs)
        case ast.Match():
            return len(node.cases) - any(map(_catches_all, node.cases))
    return 0


def _catches_all(case: ast.match_case) -> bool:
    return isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None


def read(folder: Path) -> tuple[Module, ...]:
    """Return the modules below a package's folder."""
    paths = {_name(folder, path): path for path in sorted(folder.rglob("*.py"))}
    return tuple(_module(folder, name, path, frozenset(paths)) for name, path in paths.items())


def _name(folder: Path, path: Path) -> str:
    parts = path.relative_to(folder.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _module(folder: Path, name: str, path: Path, known: frozenset[str]) -> Module:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    return Module(
        name=name,
        package=path.relative_to(folder).parts[0] if path.parent != folder else "",
        text=text,
        tree=tree,
        functions=tuple(_functions(name, tree, ())),
        imports=frozenset(_imports(tree, known)) - {name},
    )


def _functions(module: str, node: ast.AST, outer: tuple[str, ...]) -> Iterator[Function]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Def):
            yield Function(
                module=module,
                name=".".join((*outer, child.name)),
                lines=(child.end_lineno or child.lineno) - child.lineno + 1,
                complexity=complexity(child),
                parameters=_parameters(child),
            )
        inner = (*outer, child.name) if isinstance(child, Def | ast.ClassDef) else outer
        yield from _functions(module, child, inner)


def _parameters(function: Def) -> int:
    """Return how many parameters a function has, `self` and `cls` left out."""
    given = function.args
    names = [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    starred = (given.vararg is not None) + (given.kwarg is not None)
    return len([name for name in names if name not in {"self", "cls"}]) + starred


def _imports(node: ast.AST, known: frozenset[str]) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield from _imports(child, known)
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names if alias.name in known)
        elif isinstance(child, ast.ImportFrom) and child.module in known:
            for alias in child.names:
                submodule = f"{child.module}.{alias.name}"
                yield submodule if submodule in known else child.module


def circles(modules: Iterable[Module]) -> tuple[tuple[str, ...], ...]:
    """Return the groups of modules that import each other, directly or by others."""
    reach = {module.name: _reached(module.name, modules) for module in modules}
    groups = {
        tuple(sorted(other for other in reach[name] if name in reach[other]))
        for name in reach
        if name in reach[name]
    }
    return tuple(sorted(groups))


def _reached(start: str, modules: Iterable[Module]) -> frozenset[str]:
    imports = {module.name: module.imports for module in modules}
    seen: set[str] = set()
    ahead = list(imports[start])
    while ahead:
        name = ahead.pop()
        if name not in seen:
            seen.add(name)
            ahead += imports[name]
    return frozenset(seen)


def longest_chain(modules: Iterable[Module]) -> tuple[str, ...]:
    """Return the longest chain of modules each of which imports the next one, a circle entered no more than once."""
    imports = {module.name: module.imports for module in modules}
    under_way: set[str] = set()

    @cache
    def chain(name: str) -> tuple[str, ...]:
        under_way.add(name)
        rest = [chain(other) for other in sorted(imports[name]) if other not in under_way]
        under_way.discard(name)
        return (name, *max(rest, key=len, default=()))

    return max(map(chain, imports), key=len, default=())


def documented(module: Module) -> tuple[int, int]:
    """Return how many public modules, classes, functions and methods have a docstring, and how many there are."""
    public = [module.tree, *_public(module.tree)]
    return sum(ast.get_docstring(node) is not None for node in public), len(public)


def _public(node: ast.Module | ast.ClassDef) -> Iterator[Def | ast.ClassDef]:
    for child in node.body:
        if isinstance(child, Def | ast.ClassDef) and not child.name.startswith("_"):
            yield child
            if isinstance(child, ast.ClassDef):
                yield from _public(child)


def suppressions(module: Module) -> Counter[str]:
    """Return how often comments of a module turn a check off, by its kind."""
    tokens = tokenize.generate_tokens(io.StringIO(module.text).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    return Counter(
        kind
        for comment in comments
        for kind, pattern in _SUPPRESSIONS.items()
        if pattern.search(comment)
    )


def _uses(module: Module, name: str) -> int:
    return sum(isinstance(node, ast.Name) and node.id == name for node in ast.walk(module.tree))


def _classes(module: Module) -> list[ast.ClassDef]:
    return [node for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef)]


def _is_dataclass(node: ast.ClassDef) -> bool:
    names = [each.func if isinstance(each, ast.Call) else each for each in node.decorator_list]
    return any(isinstance(name, ast.Name) and name.id == "dataclass" for name in names)


def _spread(values: Sequence[int]) -> str:
    """Return median, nine tenths (nearest rank) and maximum."""
    ordered = sorted(values)
    tenths = ordered[math.ceil(0.9 * len(ordered)) - 1]
    return f"median {statistics.median(ordered):g}, p90 {tenths}, max {ordered[-1]}"


def report(modules: Sequence[Module]) -> str:
    """Return the table, and below it what it counts one by one."""
    functions = [function for module in modules for function in module.functions]
    complex_ones = _most(functions, "complexity", MOST_COMPLEX)
    wide = _most(functions, "parameters", MOST_PARAMETERS)
    rings, chain = circles(modules), longest_chain(modules)
    rows = (*_sizes(modules, functions), *_habits(modules))
    rows += (
        (f"functions of complexity over {MOST_COMPLEX}", str(len(complex_ones))),
        (f"functions with over {MOST_PARAMETERS} parameters", str(len(wide))),
        ("longest import chain", f"{len(chain)} modules"),
        ("import circles", str(len(rings))),
    )
    width = max(len(name) for name, _ in rows)
    listed = (
        ("Complexity:", [f"{each.complexity:3} {each}{_why(each)}" for each in complex_ones]),
        ("Parameters:", [f"{each.parameters:3} {each}" for each in wide]),
        ("Longest chain:", [" > ".join(chain)]),
        ("Circles:", [" <> ".join(ring) for ring in rings]),
    )
    table = "\n".join(f"{name:{width}}  {value}" for name, value in rows)
    lists = (f"{title}\n  " + "\n  ".join(lines) for title, lines in listed if lines)
    return "\n\n".join((table, *lists))


def _why(function: Function) -> str:
    """Return why a function is left whole."""
    reason = KEPT.get(str(function))
    return f": {reason}" if reason is not None else ""


def _most(functions: Iterable[Function], measure: str, bound: int) -> list[Function]:
    """Return the functions that are over a bound, the worst first."""
    over = [each for each in functions if getattr(each, measure) > bound]
    return sorted(over, key=lambda each: (-getattr(each, measure), str(each)))


def _sizes(modules: Sequence[Module], functions: Sequence[Function]) -> tuple[tuple[str, str], ...]:
    lines = [module.lines for module in modules]
    counted = [each.complexity for each in functions]
    return (
        ("files, lines", f"{len(modules)}, {sum(lines)}"),
        ("lines of a module", _spread(lines)),
        (f"modules over {LONG_MODULE} lines", str(sum(n > LONG_MODULE for n in lines))),
        (f"modules under {SHORT_MODULE} lines", str(sum(n < SHORT_MODULE for n in lines))),
        ("functions", str(len(functions))),
        ("lines of a function", _spread([each.lines for each in functions])),
        ("complexity", f"mean {statistics.mean(counted):.2f}, {_spread(counted)}"),
    )


def _habits(modules: Sequence[Module]) -> tuple[tuple[str, str], ...]:
    classes = [node for module in modules for node in _classes(module)]
    counts = [documented(module) for module in modules]
    has, all_of_them = (sum(column) for column in zip(*counts, strict=True))
    turned_off: Counter[str] = sum((suppressions(module) for module in modules), Counter())
    untyped: Counter[str] = Counter()
    for module in modules:
        untyped[module.package or "(top)"] += _uses(module, "Any")
    by_package = ", ".join(f"{name} {count}" for name, count in untyped.most_common() if count)
    return (
        ("public docstrings", f"{has} of {all_of_them}, {100 * has / all_of_them:.1f} %"),
        ("classes, dataclasses", f"{len(classes)}, {sum(map(_is_dataclass, classes))}"),
        ("Any", f"{untyped.total()}: {by_package}" if by_package else "0"),
        *((kind, str(turned_off[kind])) for kind in _SUPPRESSIONS),
        ("assert_never", str(sum(_uses(module, "assert_never") for module in modules))),
    )


def main() -> None:
    """Print the table of the folder that the command line names."""
    folder = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "operator" / "ocijobs"
    print(report(read(folder)))  # noqa: T201 - a program that prints


if __name__ == "__main__":
    main()
