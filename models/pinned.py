"""Fetching files whose content is known in advance.

Everything that comes from outside is checked against a sha256 in this
repository before anything reads it. A file appears under its final name whole
and verified, or not at all.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from contextlib import AbstractContextManager
from pathlib import Path

# The interpreter whose wheels we take when the wheel is only an archive to us:
# naming it makes every pip, of whatever Python, choose the same file.
WHEEL_PYTHON = "311"

PYTHON_PACKAGES = "On Debian: apt-get install python3-venv"


class Trouble(Exception):
    """What went wrong, where, and what to do: shown to the user as it is."""


def cache_folder() -> Path:
    """Where fetched files live: $OUTIS_CACHE, or `outis` in the user's cache."""
    chosen = os.environ.get("OUTIS_CACHE")
    if chosen:
        return Path(chosen).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "outis"


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def is_pinned(path: Path, sha256: str) -> bool:
    """Whether the file is there with the content we know."""
    return path.is_file() and sha256_of(path) == sha256


def require(path: Path, sha256: str, origin: str) -> None:
    """Stops when a file that was just fetched is not the one we know."""
    found = sha256_of(path)
    if found != sha256:
        raise Trouble(
            f"{path.name} from {origin} has sha256 {found}, expected {sha256}. "
            "It was not kept. Try again; if it stays so, the package has changed: do not use it."
        )


def place(source: Path, target: Path, sha256: str, origin: str) -> None:
    """Gives a verified file its final name, in one step that cannot be seen half done."""
    require(source, sha256, origin)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, waiting = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    os.close(handle)
    try:
        shutil.copyfile(source, waiting)
        os.chmod(waiting, 0o644)
        os.replace(waiting, target)
    except BaseException:
        Path(waiting).unlink(missing_ok=True)
        raise


def run(command: list[str], doing: str, install: str, advice: str, folder: Path | None = None) -> None:
    """Runs a client quietly; what it said becomes part of the error.

    `install` says how to get a missing program, `advice` what to do when it fails.
    """
    program = command[2] if command[1:2] == ["-m"] else Path(command[0]).name
    if shutil.which(command[0]) is None:
        raise Trouble(f"{doing}: the program `{program}` is missing. {install}")
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Trouble(f"{doing}: `{program}` failed ({gist(done.stdout)}). {advice}")


def gist(output: str) -> str:
    """Enough of a client's output: some name the cause first, some last."""
    lines = output.strip().splitlines()
    return " | ".join(lines if len(lines) <= 4 else [*lines[:2], "...", *lines[-2:]]) or "it said nothing"


class Workshop(AbstractContextManager):
    """A scratch folder inside the cache, swept away whatever happens."""

    def __init__(self, cache: Path):
        try:
            cache.mkdir(parents=True, exist_ok=True)
            self._scratch = tempfile.TemporaryDirectory(prefix=".work-", dir=cache)
        except OSError as error:
            raise Trouble(
                f"cannot write the cache folder {cache} ({error}). Set OUTIS_CACHE to another one."
            ) from error
        self.folder = Path(self._scratch.name)
        self._python: Path | None = None

    def __exit__(self, *_) -> None:
        self._scratch.cleanup()

    @property
    def python(self) -> Path:
        """A private Python with pip, made when first asked for."""
        if self._python is None:
            venv = self.folder / "venv"
            run(
                [sys.executable, "-m", "venv", str(venv)],
                "making a private Python",
                install=PYTHON_PACKAGES,
                advice=PYTHON_PACKAGES,
            )
            self._python = venv / "bin" / "python"
        return self._python

    def pip(self, *arguments: str, doing: str) -> None:
        run(
            [str(self.python), "-m", "pip", *arguments, "--quiet", "--no-deps", "--only-binary=:all:"],
            doing,
            install=PYTHON_PACKAGES,
            advice="Is the network up, and does pip reach its index?",
        )

    def wheel_members(self, package: str, members: list[str], platform: str = "any") -> dict[str, Path]:
        """The named files of a wheel; nothing else of it is unpacked."""
        wheels = Path(tempfile.mkdtemp(prefix="wheel-", dir=self.folder))
        self.pip(
            *("download", package, "--dest", str(wheels), "--python-version", WHEEL_PYTHON, "--platform", platform),
            doing=f"fetching {package} for {platform}",
        )
        (wheel,) = wheels.glob("*.whl")
        try:
            with zipfile.ZipFile(wheel) as archive:
                return {member: Path(archive.extract(member, wheels)) for member in members}
        except (KeyError, zipfile.BadZipFile) as error:
            raise Trouble(
                f"{wheel.name} is damaged or not what we know ({error}). Try again; nothing was kept."
            ) from error
