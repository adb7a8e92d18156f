"""Style presets. They are written by forms, because InvokeAI's clients send a picture along."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, File, Form, HTTPException, UploadFile
from pydantic import ValidationError

from tenantry.api.caller import SignedIn
from tenantry.api.problems import responses
from tenantry.api.shapes.prompts import StylePreset, StylePresetForm
from tenantry.errors import InvalidInput

__all__ = ["router"]

router = APIRouter(
    prefix="/style_presets",
    tags=["style_presets"],
    responses=responses(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND),
)
_WRITE = responses(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)

Data = Annotated[str, Form(description="A preset's name, prompts, type and visibility, as JSON text.")]
Picture = Annotated[UploadFile | None, File(description="This server keeps no pictures of presets.")]


@router.get("/", operation_id="list_style_presets", summary="List style presets")
async def list_style_presets(caller: SignedIn) -> list[StylePreset]:
    """One's own presets, those that come with the studio, and those that others show to everybody."""
    async with caller.read() as work:
        return [StylePreset.of(preset) for preset in await work.presets.all()]


@router.get("/i/{style_preset_id}", operation_id="get_style_preset", summary="Get a style preset")
async def get_style_preset(caller: SignedIn, style_preset_id: str) -> StylePreset:
    async with caller.read() as work:
        return StylePreset.of(await work.presets.get(style_preset_id))


@router.post("/", operation_id="create_style_preset", summary="Create a style preset", responses=_WRITE)
async def create_style_preset(caller: SignedIn, data: Data, image: Picture = None) -> StylePreset:
    """Add a preset of one's own; only administrators add those of the type `default`."""
    form = _parsed(data, image)
    async with caller.change() as work:
        preset = await work.presets.create(form.name, form.preset_data(), preset_type=form.type, is_public=form.is_public)
    return StylePreset.of(preset)


@router.patch("/i/{style_preset_id}", operation_id="update_style_preset", summary="Change a style preset", responses=_WRITE)
async def update_style_preset(caller: SignedIn, style_preset_id: str, data: Data, image: Picture = None) -> StylePreset:
    """Change all but the type."""
    form = _parsed(data, image)
    async with caller.change() as work:
        preset = await work.presets.update(
            style_preset_id, name=form.name, preset_data=form.preset_data(), is_public=form.is_public
        )
    return StylePreset.of(preset)


@router.delete("/i/{style_preset_id}", operation_id="delete_style_preset", summary="Delete a style preset")
async def delete_style_preset(caller: SignedIn, style_preset_id: str) -> None:
    async with caller.change() as work:
        await work.presets.delete(style_preset_id)


def _parsed(data: str, image: UploadFile | None) -> StylePresetForm:
    if image is not None:
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "This server keeps no pictures of style presets.")
    try:
        return StylePresetForm.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(["data", *map(str, first["loc"])])
        raise InvalidInput(f"{first['msg']}.", field=place, remedy="Send a preset as JSON text.") from None
