"""Style presets and system prompts over the wire."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tenantry.api.shapes.common import moment
from tenantry.repositories.presets import Preset, PresetType
from tenantry.repositories.prompts import Prompt

__all__ = ["NewSystemPrompt", "PresetData", "StylePreset", "StylePresetForm", "SystemPrompt", "SystemPromptChanges"]


class PresetData(BaseModel):
    """What a style preset adds to prompts; `{prompt}` stands for the user's own."""

    positive_prompt: str = ""
    negative_prompt: str = ""

    @classmethod
    def stored(cls, text: str) -> "PresetData":
        """From the JSON text that was stored; empty where it is something else, so that one preset never hides the others."""
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            return cls()


class StylePresetForm(BaseModel):
    """The field `data` of a form that creates or changes a style preset, as JSON text."""

    name: str
    positive_prompt: str
    negative_prompt: str
    type: PresetType
    is_public: bool = False

    def preset_data(self) -> str:
        return PresetData(positive_prompt=self.positive_prompt, negative_prompt=self.negative_prompt).model_dump_json()


class StylePreset(BaseModel):
    """A style preset."""

    name: str
    preset_data: PresetData
    type: PresetType
    is_public: bool
    id: str
    user_id: str = Field(description="The owner.")
    image: str | None = Field(description="Where its picture is, if it has one.")

    @classmethod
    def of(cls, preset: Preset) -> "StylePreset":
        return cls(
            name=preset.name,
            preset_data=PresetData.stored(preset.preset_data),
            type=preset.type,
            is_public=preset.is_public,
            id=preset.preset_id,
            user_id=preset.user_id,
            image=None,
        )


class NewSystemPrompt(BaseModel):
    """A system prompt that is to be."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1)
    content: str = Field(min_length=1)


class SystemPromptChanges(BaseModel):
    """What to change about a system prompt; what is left out or null stays."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, min_length=1)
    content: str | None = Field(None, min_length=1)
    is_public: bool | None = None


class SystemPrompt(BaseModel):
    """An instruction to the language model that expands prompts."""

    name: str
    content: str
    id: str
    user_id: str = Field(description="The owner.")
    is_public: bool
    created_at: datetime = Field(description="UTC.")
    updated_at: datetime

    @classmethod
    def of(cls, prompt: Prompt) -> "SystemPrompt":
        return cls(
            name=prompt.name,
            content=prompt.content,
            id=prompt.prompt_id,
            user_id=prompt.user_id,
            is_public=prompt.is_public,
            created_at=moment(prompt.created_at),
            updated_at=moment(prompt.updated_at),
        )
