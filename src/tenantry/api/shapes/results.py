"""Lists of names over the wire, and what came of a change to many items at once."""

from pydantic import BaseModel, Field

__all__ = [
    "AddImagesToBoardResult",
    "AddVideosToBoardResult",
    "DeleteImagesResult",
    "DeleteVideosResult",
    "GalleryItemNames",
    "GalleryItemNamesResult",
    "GalleryItemRef",
    "ImageNamesResult",
    "RemoveImagesFromBoardResult",
    "RemoveVideosFromBoardResult",
    "StarredImagesResult",
    "StarredVideosResult",
    "UnstarredImagesResult",
    "UnstarredVideosResult",
    "VideoNamesResult",
    "VirtualBoardDTO",
]


class _Names(BaseModel):
    starred_count: int = Field(description="How many of the first are starred, if starred ones come first.")
    total_count: int


class ImageNamesResult(_Names):
    """All names of a list of images, in order."""

    image_names: list[str]


class VideoNamesResult(_Names):
    """All names of a list of videos, in order."""

    video_names: list[str]


class GalleryItemNames(_Names):
    """All names of a list of images and videos, in order."""

    item_names: list[str]


class GalleryItemRef(BaseModel):
    """An item of the gallery by kind and name."""

    kind: str
    name: str


class GalleryItemNamesResult(_Names):
    """All items of a list by kind and name, in order."""

    items: list[GalleryItemRef]


class VirtualBoardDTO(BaseModel):
    """What was made on one UTC date, as if it were a board."""

    virtual_board_id: str
    board_name: str
    date: str
    image_count: int
    asset_count: int
    video_count: int = 0
    cover_image_name: str | None = None
    cover_video_name: str | None = None


class _Changed(BaseModel):
    affected_boards: list[str] = Field(description="Boards whose contents changed; `none` for no board.")


class DeleteImagesResult(_Changed):
    """Which images are gone."""

    deleted_images: list[str]
    failed_images: list[str]


class StarredImagesResult(_Changed):
    """Which images are starred now; names that one may not change are in neither list."""

    starred_images: list[str]
    failed_images: list[str]


class UnstarredImagesResult(_Changed):
    """Which images are not starred now."""

    unstarred_images: list[str]
    failed_images: list[str]


class AddImagesToBoardResult(_Changed):
    """Which images are on the board now."""

    added_images: list[str]
    failed_images: list[str]


class RemoveImagesFromBoardResult(_Changed):
    """Which images are on no board now."""

    removed_images: list[str]
    failed_images: list[str]


class DeleteVideosResult(_Changed):
    """Which videos are gone."""

    deleted_videos: list[str]
    failed_videos: list[str]


class StarredVideosResult(_Changed):
    """Which videos are starred now."""

    starred_videos: list[str]
    failed_videos: list[str]


class UnstarredVideosResult(_Changed):
    """Which videos are not starred now."""

    unstarred_videos: list[str]
    failed_videos: list[str]


class AddVideosToBoardResult(_Changed):
    """Which videos are on the board now."""

    added_videos: list[str]


class RemoveVideosFromBoardResult(_Changed):
    """Which videos are on no board now."""

    removed_videos: list[str]
