"""Schemas are as strict as the API server with --validate=strict, and no stricter."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubecontrolplane.errors import SchemaError
from kubecontrolplane.schemas import crd_schemas, file_name, kubernetes_schemas

META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
DEFINITIONS: Mapping[str, dict[str, Any]] = {
    META: {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    },
    "Widget": {
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"allOf": [{"$ref": f"#/components/schemas/{META}"}], "default": {}},
            "spec": {"$ref": "#/components/schemas/WidgetSpec"},
        },
        "x-kubernetes-group-version-kind": [
            {"group": "shop.k8s.io", "version": "v1", "kind": "Widget"}
        ],
    },
    "WidgetSpec": {
        "type": "object",
        "properties": {
            "mode": {"type": "string", "enum": ["On", "Off"]},
            "raw": {"type": "object"},
            "any": {"description": "any JSON value"},
            "nested": {"type": "array", "items": {"$ref": "#/components/schemas/WidgetSpec"}},
        },
    },
    "Unused": {"type": "object"},
    "Envelope": {
        "type": "object",
        "x-kubernetes-group-version-kind": [
            {"group": "", "version": "v1", "kind": "Envelope"},
            {"group": "apps", "version": "v1", "kind": "Envelope"},
        ],
    },
}


@pytest.fixture(scope="module")
def widget() -> dict[str, Any]:
    schemas = dict(kubernetes_schemas(DEFINITIONS))
    assert list(schemas) == ["widget-shop-v1.json"]
    return schemas["widget-shop-v1.json"]


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("", "pod-v1.json"),
        ("apps", "pod-apps-v1.json"),
        ("networking.k8s.io", "pod-networking-v1.json"),
    ],
)
def test_files_are_named_as_kubeconform_looks_for_them(group: str, expected: str) -> None:
    assert file_name(group, "v1", "Pod") == expected


class TestKubernetes:
    def test_unknown_fields_are_refused_at_every_depth(self, widget: dict[str, Any]) -> None:
        assert widget["additionalProperties"] is False
        for name in ("WidgetSpec", META):
            assert widget["definitions"][name]["additionalProperties"] is False

    def test_objects_without_known_fields_stay_open(self, widget: dict[str, Any]) -> None:
        raw = widget["definitions"]["WidgetSpec"]["properties"]["raw"]
        assert raw == {"type": ["object", "null"]}

    def test_maps_keep_the_type_of_their_values(self, widget: dict[str, Any]) -> None:
        labels = widget["definitions"][META]["properties"]["labels"]
        assert labels["additionalProperties"] == {"type": "string"}

    def test_the_document_says_what_it_is(self, widget: dict[str, Any]) -> None:
        assert widget["properties"]["apiVersion"]["enum"] == ["shop.k8s.io/v1"]
        assert widget["properties"]["kind"]["enum"] == ["Widget"]
        assert widget["required"] == ["apiVersion", "kind", "spec"]

    def test_only_optional_fields_may_be_null(self, widget: dict[str, Any]) -> None:
        assert {"type": "null"} in widget["properties"]["metadata"]["anyOf"]
        assert widget["properties"]["spec"] == {"allOf": [{"$ref": "#/definitions/WidgetSpec"}]}
        mode = widget["definitions"]["WidgetSpec"]["properties"]["mode"]
        assert mode == {"type": ["string", "null"], "enum": ["On", "Off", None]}

    def test_definitions_are_those_that_are_needed_and_may_be_recursive(
        self, widget: dict[str, Any]
    ) -> None:
        assert sorted(widget["definitions"]) == ["WidgetSpec", META]

    def test_nothing_refers_outside_of_the_file(self, widget: dict[str, Any]) -> None:
        assert "components/schemas" not in json.dumps(widget)


def crd(schema: dict[str, Any], *, served: bool = True) -> dict[str, Any]:
    version = {"name": "v1alpha1", "served": served, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "spec": {
            "group": "shop.example",
            "names": {"kind": "Thing", "plural": "things"},
            "versions": [version],
        },
    }


def spec_schema(tmp_path: Path, spec: dict[str, Any]) -> dict[str, Any]:
    """What becomes of the schema of a custom resource's `spec`."""
    path = tmp_path / "crd.yaml"
    path.write_text(yaml.safe_dump(crd({"type": "object", "properties": {"spec": spec}})))
    [(name, schema)] = crd_schemas(path, DEFINITIONS)
    assert name == "thing-shop-v1alpha1.json"
    found: dict[str, Any] = schema["properties"]["spec"]
    return found


class TestCustomResources:
    def test_metadata_is_that_of_every_object(self, tmp_path: Path) -> None:
        path = tmp_path / "crd.yaml"
        path.write_text(yaml.safe_dump(crd({"type": "object", "properties": {}})))
        [(_, schema)] = crd_schemas(path, DEFINITIONS)
        assert schema["properties"]["metadata"] == {"allOf": [{"$ref": f"#/definitions/{META}"}]}
        assert list(schema["definitions"]) == [META]

    def test_unknown_fields_are_refused(self, tmp_path: Path) -> None:
        found = spec_schema(tmp_path, {"type": "object", "properties": {"a": {"type": "string"}}})
        assert found["additionalProperties"] is False
        assert found["properties"]["a"] == {"type": ["string", "null"]}

    def test_an_object_without_fields_has_none(self, tmp_path: Path) -> None:
        assert spec_schema(tmp_path, {"type": "object"})["additionalProperties"] is False

    def test_an_object_that_preserves_unknown_fields_stays_open(self, tmp_path: Path) -> None:
        spec = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        assert spec_schema(tmp_path, spec)["additionalProperties"] is True

    def test_values_of_a_map_may_be_null(self, tmp_path: Path) -> None:
        spec = {"type": "object", "additionalProperties": {"type": "integer"}}
        found = spec_schema(tmp_path, spec)
        assert found["additionalProperties"] == {"type": ["integer", "null"]}

    def test_items_of_a_list_may_not_be_null(self, tmp_path: Path) -> None:
        found = spec_schema(tmp_path, {"type": "array", "items": {"type": "string"}})
        assert found["items"] == {"type": "string"}

    def test_int_or_string_takes_both(self, tmp_path: Path) -> None:
        found = spec_schema(tmp_path, {"x-kubernetes-int-or-string": True})
        [both, null] = found["anyOf"]
        assert both == {"anyOf": [{"type": "integer"}, {"type": "string"}]}
        assert null == {"type": "null"}

    def test_a_required_field_may_be_null_where_the_schema_says_so(self, tmp_path: Path) -> None:
        spec = {
            "type": "object",
            "required": ["a", "b"],
            "properties": {"a": {"type": "string", "nullable": True}, "b": {"type": "string"}},
        }
        found = spec_schema(tmp_path, spec)
        assert found["properties"] == {"a": {"type": ["string", "null"]}, "b": {"type": "string"}}

    def test_an_embedded_resource_has_its_envelope(self, tmp_path: Path) -> None:
        spec = {"type": "object", "x-kubernetes-embedded-resource": True}
        found = spec_schema(tmp_path, spec)
        assert sorted(found["properties"]) == ["apiVersion", "kind", "metadata"]

    def test_conditions_on_values_are_not_closed(self, tmp_path: Path) -> None:
        """In a structural schema `oneOf` names fields that `properties` has declared already."""
        condition = [{"required": ["a"]}, {"properties": {"b": {"enum": ["x"]}}}]
        spec = {"type": "object", "properties": {"a": {}, "b": {}}, "oneOf": condition}
        found = spec_schema(tmp_path, spec)
        closed = found["anyOf"][0] if "anyOf" in found else found
        assert closed["oneOf"] == condition

    def test_versions_that_are_not_served_have_no_schema(self, tmp_path: Path) -> None:
        path = tmp_path / "crd.yaml"
        path.write_text(yaml.safe_dump(crd({"type": "object"}, served=False)))
        assert list(crd_schemas(path, DEFINITIONS)) == []

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            ("kind: Deployment\n", "holds no CustomResourceDefinition"),
            ("", "holds no CustomResourceDefinition"),
            ("{", "can't be read as YAML"),
            ("kind: CustomResourceDefinition\nspec: {}\n", "KeyError: 'group'"),
        ],
        ids=["another kind", "empty", "not YAML", "incomplete"],
    )
    def test_a_file_that_holds_none_is_refused(
        self, content: str, problem: str, tmp_path: Path
    ) -> None:
        path = tmp_path / "crd.yaml"
        path.write_text(content)
        with pytest.raises(SchemaError, match=problem):
            list(crd_schemas(path, DEFINITIONS))
