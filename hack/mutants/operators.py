"""What a mutant changes: an operator, a condition, a constant, a statement or what is returned."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

_COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: (r"is\s+not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: (r"not\s+in", "in"),
}
_ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: (r"\+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: (r"\*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
    ast.Pow: (r"\*\*", "*"),
    ast.BitOr: (r"\|", "&"),
    ast.BitAnd: ("&", "|"),
}
_FUNCTIONS = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of a source text.

    Attributes:
        start, end: the bytes that are replaced, in UTF-8.
        line: of the statement that the change is in, counted from 1.
        last_line: of that statement.
        scope: name of the function or class around it; empty for the module itself.
        in_function: whether it runs when a function is called, and not when the module is imported.
    """

    start: int
    end: int
    line: int
    last_line: int
    scope: str
    in_function: bool
    replacement: str
    what: str

    def apply(self, source: str) -> str:
        """Return the source with the change in it."""
        text = source.encode()
        return (text[: self.start] + self.replacement.encode() + text[self.end :]).decode()


def changes_of(source: str) -> tuple[Change, ...]:
    """Return every change that makes a mutant of a module, in the order of the text.

    Annotations, docstrings and assertions that something never happens are left alone.
    """
    found = _Finder(source)
    found.visit(ast.parse(source))
    return tuple(sorted(found.changes, key=lambda change: (change.start, change.what)))


class _Finder(ast.NodeVisitor):
    """Walks through a module and notes changes."""

    def __init__(self, source: str) -> None:
        self._text = source.encode()
        self._starts = [0]
        for line in self._text.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._scopes: list[str] = []
        self._functions = 0
        self._statement: ast.stmt | None = None
        self.changes: list[Change] = []

    def visit(self, node: ast.AST) -> None:
        """Visit a node, and keep in mind the statement that it is in."""
        before = self._statement
        if isinstance(node, ast.stmt):
            self._statement = node
        super().visit(node)
        self._statement = before

    # What is left alone, and what is around.

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Walk through the defaults and the body."""
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        """Walk through the defaults and the body."""
        self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self.visit(default)
        self._scopes.append(node.name)
        self._functions += 1
        for statement in node.body:
            self.visit(statement)
        self._functions -= 1
        self._scopes.pop()

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Walk through the body."""
        self._scopes.append(node.name)
        for statement in node.body:
            self.visit(statement)
        self._scopes.pop()

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Walk through the value."""
        if node.value is not None:
            self.visit(node.value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        """Types that are called, as in `cast`, look like what they are not: only slices are walked through."""
        self.visit(node.value)
        if self._functions:
            self.visit(node.slice)

    # What is changed.

    def visit_Compare(self, node: ast.Compare) -> None:
        """Change each comparison to its neighbour or its opposite."""
        sides = [node.left, *node.comparators]
        for left, op, right in zip(sides, node.ops, node.comparators, strict=False):
            token, other = _COMPARISONS[type(op)]
            self._between(left, right, token, other, "comparison")
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        """Change `and` to `or` and back."""
        token, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            self._between(left, right, token, other, "boolean")
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        """Take a `not` away."""
        if isinstance(node.op, ast.Not):
            start, end = self._span(node)
            inner, _ = self._span(node.operand)
            kept = self._text[start:inner].decode().replace("not", "", 1).strip()
            rest = self._text[inner:end].decode()
            self._note(start, end, f"{kept}{rest}", "negation")
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """Change an arithmetic operator."""
        if type(node.op) in _ARITHMETIC and not _is_text(node.left) and not _is_text(node.right):
            token, other = _ARITHMETIC[type(node.op)]
            self._between(node.left, node.right, token, other, "arithmetic")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        """Change a number or a truth value; texts are left alone."""
        start, end = self._span(node)
        if isinstance(node.value, bool):
            self._note(start, end, str(not node.value), "constant")
        elif isinstance(node.value, int | float):
            self._note(start, end, repr(node.value + 1), "constant")

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Positions in formatted texts are not exact before Python 3.12."""

    def visit_Call(self, node: ast.Call) -> None:
        """Change `min` to `max` and `any` to `all`, and back."""
        if isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS:
            self._note(*self._span(node.func), _FUNCTIONS[node.func.id], "function")
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        """Never take the branch: that it is taken always is another change's effect."""
        self._never(node.test)
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        """Never take the first value."""
        self._never(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        """Let everything through a comprehension's condition."""
        for test in node.ifs:
            self._note(*self._span(test), "True", "condition")
        self.generic_visit(node)

    def visit_Return(self, node: ast.Return) -> None:
        """Return None instead."""
        nothing = isinstance(node.value, ast.Constant) and node.value.value is None
        if node.value is not None and not nothing:
            self._note(*self._span(node.value), "None", "returned value")
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        """Take a call away whose value nobody wants."""
        if isinstance(node.value, ast.Call | ast.Await):
            self._note(*self._span(node), "pass", "statement")
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """Take the statement away."""
        self._note(*self._span(node), "pass", "statement")
        self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        """Take the statement away, unless it says that it is never reached."""
        if not (isinstance(node.exc, ast.Name) and node.exc.id == "AssertionError"):
            self._note(*self._span(node), "pass", "statement")

    def visit_Continue(self, node: ast.Continue) -> None:
        """End the loop instead."""
        self._note(*self._span(node), "break", "statement")

    def visit_Break(self, node: ast.Break) -> None:
        """Go on with the loop instead."""
        self._note(*self._span(node), "continue", "statement")

    # Positions.

    def _never(self, test: ast.expr) -> None:
        self._note(*self._span(test), "False", "condition")

    def _between(self, left: ast.expr, right: ast.expr, token: str, other: str, what: str) -> None:
        start, end = self._span(left)[1], self._span(right)[0]
        gap = self._text[start:end].decode()
        word = rf"\b{token}\b" if token[0].isalpha() else token
        if (match := re.search(word, gap)) is not None:
            at = start + len(gap[: match.start()].encode())
            self._note(at, at + len(match.group().encode()), other, what)

    def _span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        if node.end_lineno is None or node.end_col_offset is None:
            raise AssertionError  # what was parsed has positions
        return (
            self._starts[node.lineno - 1] + node.col_offset,
            self._starts[node.end_lineno - 1] + node.end_col_offset,
        )

    def _note(self, start: int, end: int, replacement: str, what: str) -> None:
        line = self._text.count(b"\n", 0, start) + 1
        self.changes.append(
            Change(
                start=start,
                end=end,
                line=line,
                last_line=self._text.count(b"\n", 0, end) + 1,
                scope=".".join(self._scopes),
                in_function=self._functions > 0,
                replacement=replacement,
                what=what,
            )
        )


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
