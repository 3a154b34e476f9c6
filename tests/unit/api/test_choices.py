"""Where one of several is to be given, none and two are refused, by words that name them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from ocijobs.api.job.runtime import Runtime
from ocijobs.api.job.runtimes.conda import CondaEnvironment
from ocijobs.api.job.runtimes.torch import PyTorchDistributedRuntime
from ocijobs.api.job.source import Source
from ocijobs.api.shared.dependency import RunEnvVar
from ocijobs.api.shared.environment import EnvVar
from ocijobs.api.shared.model import Model

INLINE = {"inline": {"content": "print()"}}
CONFIG_MAP = {"configMap": {"name": "code"}}
GIT = {"url": "https://example.com/code.git"}
RESULT = {"resultRef": {"kind": "OCIJobRun", "name": "first", "result": "auc"}}
SECRET = {"secretKeyRef": {"name": "secret", "key": "token", "optional": False}}
SLUG = {"type": "service", "slug": "generalml_p311_cpu_x86_64_v1"}
PACK = {"type": "published", "uri": "oci://bucket@namespace/pack"}
TORCH = {"command": "train.py", "conda": SLUG}

CHOICES: dict[str, tuple[type[Model], list[dict[str, Any]], str]] = {
    "a source": (Source, [INLINE, CONFIG_MAP], "exactly one of .*inline"),
    "a runtime": (
        Runtime,
        [
            {"script": {"source": INLINE}},
            {"notebook": {"source": INLINE, "entrypoint": "a.ipynb", "conda": SLUG}},
        ],
        "exactly one of .*script",
    ),
    "code of PyTorch": (
        PyTorchDistributedRuntime,
        [{**TORCH, "source": INLINE}, {**TORCH, "git": GIT}],
        "exactly one of source and git",
    ),
    "a variable": (
        EnvVar,
        [{"name": "A", "value": "a"}, {"name": "A", "valueFrom": SECRET}],
        "variable A: exactly one of value and valueFrom",
    ),
    "a source of a run's variable": (
        RunEnvVar,
        [{"name": "A", "valueFrom": RESULT}, {"name": "A", "valueFrom": SECRET}],
        "variable A: ",
    ),
}


@pytest.mark.parametrize(("model", "choices", "_"), CHOICES.values(), ids=CHOICES)
def test_one_is_taken(model: type[Model], choices: list[dict[str, Any]], _: str) -> None:
    for choice in choices:
        read = model.model_validate(choice)
        assert model.model_validate(read.document()) == read
        assert read.document().keys() >= choice.keys()


@pytest.mark.parametrize(("model", "choices", "words"), CHOICES.values(), ids=CHOICES)
def test_two_are_refused(model: type[Model], choices: list[dict[str, Any]], words: str) -> None:
    one, other = choices
    nested = {k: one[k] | other[k] for k in one if isinstance(one[k], dict) and k in other}
    with pytest.raises(ValidationError, match=words):
        model.model_validate({**one, **other, **nested})


@pytest.mark.parametrize(("model", "choices", "words"), CHOICES.values(), ids=CHOICES)
def test_none_is_refused(model: type[Model], choices: list[dict[str, Any]], words: str) -> None:
    one, other = choices
    common = {key: value for key, value in one.items() if other.get(key) == value}
    if model is RunEnvVar:
        common["valueFrom"] = {}
    with pytest.raises(ValidationError, match=words):
        model.model_validate(common)


@pytest.mark.parametrize("given", [SLUG, PACK])
def test_an_environment_is_named_as_its_type_demands(given: dict[str, str]) -> None:
    assert CondaEnvironment.model_validate(given).document() == given
    other = "published" if given is SLUG else "service"
    for wrong in (
        {**given, "type": other},
        {**SLUG, **PACK, "type": given["type"]},
        {"type": other},
    ):
        with pytest.raises(ValidationError, match="conda: type service takes a slug"):
            CondaEnvironment.model_validate(wrong)
