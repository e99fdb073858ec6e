"""The rulebook's JSON Schema, for editors. It is made from the models and never written by hand."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from ecr_steward.rulebook.base import RulebookModel
from ecr_steward.rulebook.model import Rulebook


class _WithoutNull(GenerateJsonSchema):
    """Optional keys are left out, never null: the rulebook refuses a key without a value."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        inner = super().default_schema(schema)
        return {key: value for key, value in inner.items() if (key, value) != ("default", None)}


def rulebook_schema() -> dict[str, Any]:
    """The JSON Schema of the rulebook, in the dialect of 2020-12."""
    return file_schema(Rulebook)


def file_schema(root: type[RulebookModel]) -> dict[str, Any]:
    """The JSON Schema of a file, by the model of the whole."""
    schema = root.model_json_schema(schema_generator=_WithoutNull)
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema}
