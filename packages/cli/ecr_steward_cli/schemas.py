"""``ecr-steward schema``: the JSON Schemas that are committed and that others rely on."""

import json

from ecr_steward.events.own import own_event_schemas
from ecr_steward.rulebook.schema import file_schema, rulebook_schema
from ecr_steward_cli.testing.model import CaseFile


def schema_texts() -> dict[str, str]:
    """Every JSON Schema that there is, by name, as it is committed."""
    schemas = {"rulebook": rulebook_schema(), "test": file_schema(CaseFile), **own_event_schemas()}
    return {name: json.dumps(schema, indent=2) + "\n" for name, schema in schemas.items()}
