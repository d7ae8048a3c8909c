"""Where a store keeps what: the database, pictures, locks."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

FOLDER_VARIABLE = "HEMONODE_SESSIONS"
"""Environment variable that names another folder for recorded sessions."""


def sessions_folder() -> Path:
    """Where sessions are recorded unless somebody says otherwise."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else Path(platformdirs.user_data_dir("hemonode")) / "sessions"


@dataclass(frozen=True)
class Places:
    """`sessions.db`, and beside it `pictures/SESSION/NUMBER.ome.tif` and `NUMBER.mask.png`."""

    folder: Path

    @property
    def database(self) -> Path:
        """Of everything but the pictures."""
        return self.folder / "sessions.db"

    @property
    def locks(self) -> Path:
        """A file for each session that is being recorded."""
        return self.folder / "locks"

    @property
    def unwritten(self) -> Path:
        """Stores of what this one did not take before hemonode had to stop."""
        return self.folder / "unwritten"

    def pictures(self, session: str) -> Path:
        """The folder of a session's pictures. `session` comes from the database or was made by us."""
        return self.folder / "pictures" / session

    def picture(self, session: str, number: int) -> Path:
        """A field as the camera gave it."""
        return self.pictures(session) / f"{number:06}.ome.tif"

    def mask(self, session: str, number: int) -> Path:
        """Its class ids."""
        return self.pictures(session) / f"{number:06}.mask.png"
