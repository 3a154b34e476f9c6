"""permissions.md: what the operator may do in the cluster, and why."""

from __future__ import annotations

from collections.abc import Iterable

from generators.files import REFERENCE, File
from generators.markdown import code, page, table, text
from ocijobs.kube.permissions import CLUSTER, OWN_NAMESPACE, WATCHED_NAMESPACES, Permission

_INTRODUCTION = """\
These are all permissions that the operator needs in the cluster. The chart grants exactly these rules, and the tests
run the operator with nothing else."""

_WATCHED = """\
A ClusterRole grants these in all namespaces. If the chart's value `watchNamespaces` names namespaces, a Role in each of
them does instead, so that the operator can't read Secrets of other namespaces."""

_OWN = "In the namespace of the operator, by a Role."

_CLUSTER = "By a ClusterRole, also where only some namespaces are served."


def files() -> tuple[File, ...]:
    """Return the page."""
    body = page(
        "Permissions",
        "operator/ocijobs/kube/permissions.py",
        _INTRODUCTION,
        *("## In the namespaces that are served", _WATCHED, _rules(WATCHED_NAMESPACES)),
        *("## In the operator's own namespace", _OWN, _rules(OWN_NAMESPACE)),
        *("## In the cluster", _CLUSTER, _rules(CLUSTER)),
    )
    return (File(path=REFERENCE / "permissions.md", text=body),)


def _rules(permissions: Iterable[Permission]) -> str:
    return table(
        ("API group", "Resources", "Verbs", "Why"),
        (
            (
                code(permission.group) if permission.group else "core",
                _list(permission.resources) + _named(permission.names),
                _list(permission.verbs),
                text(permission.why),
            )
            for permission in permissions
        ),
    )


def _list(words: Iterable[str]) -> str:
    return ", ".join(code(word) for word in words)


def _named(names: tuple[str, ...]) -> str:
    return f" named {_list(names)}" if names else ""
