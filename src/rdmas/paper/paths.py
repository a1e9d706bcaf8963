"""Where the companion keeps its own data, and what stands at a path of somebody else."""

from pathlib import Path


def companion_data_dir() -> Path:
    """Return the folder of the companion's own data package, wherever the program is run.

    Raises
    ------
    FileNotFoundError
        If the package was installed without its repository around it.

    Examples
    --------
    >>> companion_data_dir().name
    'data'
    """
    folder = Path(__file__).resolve().parents[3] / "data"
    if not (folder / "datapackage.json").is_file():
        raise FileNotFoundError(
            "the companion's own data folder was not found beside the package; install it with "
            "'pip install --editable' from a clone of the repository, or name a data folder"
        )
    return folder


def book_dir() -> Path:
    """Return the folder of the chapters about the paper."""
    return companion_data_dir().parent / "book"


def cohort_chapters_dir() -> Path:
    """Return the folder of the chapters that describe a register."""
    return book_dir() / "cohort"


def example_register() -> Path:
    """Return the register that these chapters describe unless they are given another."""
    return cohort_chapters_dir() / "example"


def is_folder(path: Path) -> bool:
    """Tell whether a folder is there; one that may not be looked at is none."""
    try:
        return path.is_dir()
    except OSError:
        return False


def is_there(path: Path) -> bool:
    """Tell whether anything stands at a path, a link to nothing too."""
    try:
        path.lstat()
    except (OSError, ValueError):
        return False
    return True
