"""Where the companion keeps its own data."""

from pathlib import Path


def companion_data_dir() -> Path:
    """Return the folder of the companion's own data package.

    The package is installed in editable mode from its repository, so the folder is found from
    this file's place and not from the working directory: notebooks give the same result
    wherever they are run.

    Returns
    -------
    pathlib.Path
        The folder that holds ``datapackage.json``.

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


def benchmarks_file() -> Path:
    """Return the table of benchmarks that belongs to the book.

    Returns
    -------
    pathlib.Path
        ``benchmarks.csv`` beside the chapters.

    Examples
    --------
    >>> benchmarks_file().name
    'benchmarks.csv'
    """
    return companion_data_dir().parent / "book" / "benchmarks.csv"
