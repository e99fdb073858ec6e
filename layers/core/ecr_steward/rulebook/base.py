"""What all models of the rulebook have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern="^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$")]


class RulebookModel(BaseModel):
    """Base of the rulebook's models: unknown keys are errors, and a rulebook that was read does not change."""

    model_config = ConfigDict(frozen=True, extra="forbid", regex_engine="python-re")
