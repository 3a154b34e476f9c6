"""The chart's rules of access, from what the operator says that it does."""

from __future__ import annotations

from collections.abc import Iterable

from generators.document import flow
from generators.files import CHART, File, notice
from ocijobs.api.crd import KINDS
from ocijobs.kube.permissions import CLUSTER, OWN_NAMESPACE, WATCHED_NAMESPACES, Permission

_PREFIX = "oci-jobs-operator.permissions"


def files() -> tuple[File, ...]:
    """Return the named templates that the chart's roles include."""
    plurals = [kind.plural for kind in KINDS]
    templates = (
        _template("watchedNamespaces", map(_rule, WATCHED_NAMESPACES)),
        _template("cluster", map(_rule, CLUSTER)),
        _template("ownNamespace", map(_rule, OWN_NAMESPACE)),
        _template("kinds", [flow(plurals)]),
        _template("statuses", [flow([f"{plural}/status" for plural in plurals])]),
    )
    header = f"{{{{/* {notice('operator/ocijobs/kube/permissions.py')} */}}}}\n"
    return (File(path=CHART / "templates" / "_permissions.tpl", text=header + "".join(templates)),)


def _template(name: str, lines: Iterable[str]) -> str:
    body = "\n".join(lines)
    return f'\n{{{{- define "{_PREFIX}.{name}" -}}}}\n{body}\n{{{{- end }}}}\n'


def _rule(permission: Permission) -> str:
    rule = permission.rule()
    first, *others = (f"{key}: {flow(value)}" for key, value in rule.items())
    return "\n".join((f"# {permission.why}", f"- {first}", *(f"  {line}" for line in others)))
