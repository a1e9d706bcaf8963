"""The folder in which a book is made, beside the place where it is to appear.

One run at a time works in it, what it holds is whole or not there, and only its owner can enter.
A run that was interrupted leaves it, and the next one goes on with what is in it.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from rdmas.rerun.plan import RerunError

LOCK = "lock"
#: Bytes below which a disk counts as full: no kernel can start.
ENOUGH = 100_000
LONGEST_NAME = 60
FULL = (errno.ENOSPC, errno.EDQUOT)
#: As the kernel's headers have them: paths are relative to the folder one is in; swap the two.
AT_FDCWD, RENAME_EXCHANGE = -100, 2


def work_folder(out: Path) -> Path:
    """Return where the book that is to appear as `out` is made."""
    return out.with_name(f".{out.name}.rdmas-work")


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Make the working folder, and keep other runs out of it while this one is there.

    The lock goes with the process that holds it, however that ends.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    while True:
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            raise RerunError(f"{folder.name}: is not this user's own folder; name another --out.")
        folder.chmod(0o700)
        file = folder / LOCK
        try:
            held = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:  # another run has just finished and taken its folder away
            continue
        try:
            _take(held, folder)
            # A run that finished in between has removed the file that is locked here.
            if file.exists() and os.path.samestat(os.fstat(held), file.stat()):
                os.truncate(held, 0)
                os.write(held, str(os.getpid()).encode())
                yield
                return
        finally:
            os.close(held)


def _take(held: int, folder: Path) -> None:
    """Lock an open file, or say who has it."""
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(held, 20, 0).decode("ascii", "replace") or "another"
        name = folder.name.removeprefix(".").removesuffix(".rdmas-work")
        raise RerunError(
            f"{name}: is being made by another run (process {owner}); wait for it to end, or "
            "name another folder."
        ) from None


def write_whole(file: Path, text: str) -> None:
    """Write a file so that it is there as a whole or not at all, even if the machine stops."""
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    with aside.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    aside.replace(file)


def narrow(folder: Path, file_mode: int) -> None:
    """Take from a folder and all in it the permissions that `file_mode` has not."""
    folder_mode = 0o700 | file_mode | (file_mode & 0o444) >> 2
    for path in [folder, *folder.rglob("*")]:
        allowed = folder_mode if path.is_dir() else file_mode
        path.chmod(path.stat().st_mode & allowed | 0o400)


def put_in_place(made: Path, out: Path, force: bool) -> None:
    """Let a finished book appear; an earlier one is in the place of `made`, or beside it, then."""
    if not os.path.lexists(out):
        made.rename(out)
    elif not force:
        raise RerunError(f"{out.name}: has appeared meanwhile; name another folder, or --force.")
    elif not _exchange(made, out):
        out.rename(made.with_name("replaced"))
        made.rename(out)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step; False where the system has no such step."""
    swap = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if swap is None:
        return False
    return swap(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0


def remove(path: Path, stubborn: bool = False) -> None:
    """Remove a file or folder, if it is there.

    A stubborn one may be left in part: a process that is about to end may be writing in it.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=stubborn)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def sentences(out: Path) -> Iterator[None]:
    """Turn what the system refuses into a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise RerunError(full(out)) from None
        where = Path(str(error.filename or out)).name[:LONGEST_NAME]
        reason = error.strerror or type(error).__name__
        raise RerunError(f"{where}: cannot be written or read ({reason}).") from None


def is_full(out: Path) -> bool:
    """Tell whether there is hardly space left where the book is made."""
    return shutil.disk_usage(out.parent).free < ENOUGH


def full(out: Path) -> str:
    """Say that no space is left."""
    return (
        f"{out.name}: no space is left on the disk; what is done is kept, so free some and run "
        "the same command again."
    )
