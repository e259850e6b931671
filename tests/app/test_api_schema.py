"""The OpenAPI schema says everything: a walk over all of it."""

import json
from collections.abc import Iterator

import jsonschema
import pytest
from django.test import Client

pytestmark = pytest.mark.django_db
STATUSES = {"get": {"401", "429", "503"}, "post": {"400", "401", "403", "413", "415", "429", "503"}}


@pytest.fixture
def schema():
    return json.loads(Client().get("/api/schema/", {"format": "json"}).content)


def operations(schema) -> Iterator[tuple[str, str, dict]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def contents(operation) -> Iterator[tuple[str, dict]]:
    """Where a body is, and what is said of its JSON."""
    for place, holder in [("request", operation.get("requestBody")), *operation["responses"].items()]:
        if holder:
            yield place, holder["content"]["application/json"]


def fields(node, path="") -> Iterator[tuple[str, dict]]:
    """Every property of a schema, at any depth."""
    for name, inner in node.get("properties", {}).items():
        yield f"{path}.{name}", inner
        yield from fields(inner, f"{path}.{name}")
    for name in ("items", "additionalProperties"):
        if isinstance(node.get(name), dict):
            yield from fields(node[name], f"{path}.{name}")


def as_json_schema(node):
    """OpenAPI 3.0's ``nullable`` in the words of JSON schema, and the components where its references look."""
    if isinstance(node, list):
        return [as_json_schema(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    plain = {name: as_json_schema(inner) for name, inner in node.items() if name != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if node.get("nullable") is True else plain


def test_the_walk_meets_every_endpoint(schema):
    assert len(list(operations(schema))) >= 5
    assert {"/api/recommendations/{use_case}/", "/api/recommendations/{use_case}/events/"} <= schema["paths"].keys()


def test_every_operation_has_a_name_of_its_own_for_client_code(schema):
    names = [operation["operationId"] for _, _, operation in operations(schema)]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and name == name.lower() and not name.startswith("api_") for name in names)


def test_every_operation_says_what_it_does_and_where_it_belongs(schema):
    for path, _, operation in operations(schema):
        assert operation["summary"], path
        assert operation["description"], path
        assert operation["tags"], path
        assert "api" not in operation["tags"], path  # the prefix, for want of a tag


def test_every_field_is_described(schema):
    components = schema["components"]["schemas"]
    silent = [
        f"{name}{path}"
        for name, component in components.items()
        for path, field in fields(component)
        if not field.get("description")
    ]
    assert components
    assert silent == []


def test_every_parameter_is_described(schema):
    silent = [
        f"{path}: {parameter['name']}"
        for path, _, operation in operations(schema)
        for parameter in operation.get("parameters", [])
        if not parameter.get("description")
    ]
    assert silent == []


def test_every_operation_documents_every_error_in_one_shape(schema):
    for path, method, operation in operations(schema):
        assert operation["responses"].keys() >= STATUSES[method], path
        for status, response in operation["responses"].items():
            assert response["description"], (path, status)
            if int(status) >= 400:
                shape = response["content"]["application/json"]["schema"]
                assert shape == {"$ref": "#/components/schemas/Error"}, (path, status)


def test_every_body_has_an_example_that_fits_its_description(schema):
    components = as_json_schema(schema["components"])
    for path, _, operation in operations(schema):
        for place, content in contents(operation):
            examples = content.get("examples")
            assert examples, (path, place)
            validator = jsonschema.Draft202012Validator({**as_json_schema(content["schema"]), "components": components})
            for example in examples.values():
                errors = [error.message for error in validator.iter_errors(example["value"])]
                assert not errors, (path, place, errors)


def test_nothing_is_left_for_the_generator_to_guess(schema, capsys):
    Client().get("/api/schema/")
    assert "Warning" not in capsys.readouterr().err
