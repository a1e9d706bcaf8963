"""The command line: ``rdmas claims``, ``template``, ``validate``, ``rerun``, ``reconstruct``.

Each command imports what it needs when it runs, so that help and validation do not wait for
statistics and figures.
"""

from __future__ import annotations

import sys
from functools import partial
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click import style

if TYPE_CHECKING:
    from pandas import DataFrame

VERDICT_COLOURS = {
    "reproduced": "green",
    "consistent": "blue",
    "compatible": "cyan",
    "not reproduced": "red",
    "not checkable": "yellow",
}

#: Exit status of a command that was stopped from the keyboard.
INTERRUPTED = 130

_folder = click.Path(path_type=Path, readable=False)  # what cannot be read is said


@click.group()
@click.version_option(package_name="rdmas")
def main() -> None:
    """Re-derive every claim of Li et al. 2025 (ruxolitinib for refractory RD-MAS)."""


@main.command()
@click.option("--data", type=_folder, help="Data folder; by default the companion's own.")
@click.option("--json", "as_json", is_flag=True, help="Print the content of claims.json.")
def claims(data: Path | None, as_json: bool) -> None:
    """Print the scoreboard: each claim, recomputed, with verdict and basis.

    A register stands beside what the companion's paper published; with a claims.csv of its own
    its claims come first.
    """
    from rdmas.paper import claims as registry
    from rdmas.paper.cohort import CohortError, load_cohort
    from rdmas.paper.comparison import beside_published

    try:
        cohort = load_cohort(data)
    except CohortError as error:
        _fail(error)
    board = registry.scoreboard(cohort)
    if as_json:
        click.echo(registry.as_json(board), nl=False)
        return
    if not registry.compares(cohort):
        _print_verdicts(board, registry.tally(board))
    if cohort.is_register:
        _print_compared(beside_published(cohort))


def _print_verdicts(board: DataFrame, tally: DataFrame) -> None:
    """Print a scoreboard, and how many claims have each verdict."""
    width = int(board["id"].str.len().max())
    value = int(board[["reported", "recomputed"]].map(len).max().max())
    for row in board.to_dict("records"):
        verdict = style(row["verdict"], fg=VERDICT_COLOURS[row["verdict"]])
        note = row["nearest"] or row["convention"]
        click.echo(
            f"{row['id']:<{width}}  {row['reported']:>{value}}  {row['recomputed'] or '-':>{value}}"
            f"  {row['basis']:<8}  {verdict}{f' ({note})' if note else ''}"
        )
    click.echo()
    for row in tally.to_dict("records"):
        click.echo(f"{row['claims']:>3} {row['verdict']}, basis {row['basis']}")


def _print_compared(compared: DataFrame) -> None:
    """Print a cohort beside the published one, with differences and their intervals."""
    click.echo("This cohort beside the published one (another cohort: compared, not checked)")
    click.echo()
    texts = [("", "published", "this cohort", "difference")]
    for row in compared.to_dict("records"):
        scale, unit, places = (1, "", 2) if row["measure"] == "median" else (100, " points", 1)
        ends = [f"{scale * row[end]:.{places}f}" for end in ("low", "high") if isfinite(row[end])]
        change = scale * row["difference"]
        text = f"{change:+.{places}f}{unit}" if isfinite(change) else ""
        interval = f" ({' to '.join(ends)})" if ends else ""
        texts.append((row["statement"], row["published"], row["this_cohort"], text + interval))
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for name, *values in texts:
        cells = [f"{text:>{width}}" for text, width in zip(values, widths[1:], strict=True)]
        click.echo("  ".join([f"{name:<{widths[0]}}", *cells]).rstrip())


@main.command()
@click.argument("path", type=_folder, metavar="FILE_OR_DIR")
@click.option("--encoding", help="Encoding of a CSV file; by default it is found out.")
def validate(path: Path, encoding: str | None) -> None:
    """Check a register or a data package; one sentence for each fault.

    FILE_OR_DIR is a table of patients (CSV or XLSX), a folder with one, or a folder with a
    datapackage.json. A warning is suspicious and possible, and leaves exit status 0.
    """
    from rdmas.paper.paths import is_folder, is_there
    from rdmas.paper.problems import CohortError, listed

    if path.name == "datapackage.json":
        path = path.parent
    if is_folder(path) and is_there(path / "datapackage.json"):
        from rdmas.paper.package import DataPackage
        from rdmas.paper.validation import problems, warnings

        if found := problems(path):
            _fail(listed(found))
        package = DataPackage(path)
        if odd := warnings(package):
            click.echo(listed(odd), err=True)
        for note in package.notes():
            click.echo(f"  {note}")
    else:
        from rdmas.paper.cohort import load_cohort

        try:
            cohort = load_cohort(path, encoding=encoding)
        except CohortError as error:
            _fail(error)
        if cohort.warnings:
            click.echo(listed(cohort.warnings), err=True)
        for note in cohort.notes:
            click.echo(f"  {note}")
    click.echo(f"{path}: valid")


@main.command()
@click.argument("folder", type=_folder, metavar="DIR")
@click.option("--force", is_flag=True, help="Replace files that are there.")
def template(folder: Path, force: bool) -> None:
    """Write a register to fill in: patients.xlsx, patients.csv and cohort.toml in DIR."""
    from rdmas.paper.problems import CohortError
    from rdmas.paper.register.template import write_template

    try:
        written = write_template(folder, force)
    except CohortError as error:
        _fail(error)
    for file in written:
        click.echo(f"{file}: written")
    click.echo("Fill in one of the two tables and replace its example row; then: rdmas validate")


@main.command()
@click.argument("data_dir", type=_folder, required=False)
@click.option("--output", type=_folder, help="File to write; by default patients.csv in DATA_DIR.")
@click.option("--force", is_flag=True, help="Replace a file that differs.")
def reconstruct(data_dir: Path | None, output: Path | None, force: bool) -> None:
    """Write patients.csv from the claims and assumptions in DATA_DIR.

    DATA_DIR is by default the companion's own data folder.
    """
    from rdmas.paper.package import CohortError
    from rdmas.paper.paths import companion_data_dir
    from rdmas.paper.reconstruct import reconstruct as rebuild

    folder = companion_data_dir() if data_dir is None else data_dir
    target = folder / "patients.csv" if output is None else output
    try:
        text = rebuild(folder)
    except CohortError as error:
        _fail(error)
    if target.is_dir() or not target.parent.is_dir():
        _fail(f"{target}: cannot be written; name a file in a folder that exists.")
    if target.exists() and target.read_bytes() == text.encode():
        click.echo(f"{target}: unchanged")
        return
    if target.exists() and not force:
        _fail(f"{target}: differs from the reconstruction and was left as it is; use --force.")
    target.write_text(text, encoding="utf-8", newline="")
    click.echo(f"{target}: written")


class _OneSentence(click.Command):
    """A command that says in one sentence, with exit status 1, what it was called wrongly with."""

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        """Read the arguments."""
        try:
            return super().make_context(*arguments, **options)
        except click.UsageError as error:
            _fail(error.format_message())


@main.command(cls=_OneSentence)
@click.option(
    "--data",
    "named",
    multiple=True,
    required=True,
    help="Register: a table, or its folder. Several, or a pattern as 'centres/*': a book for each.",
)
@click.option("--out", type=_folder, required=True, help="Folder of the book; must not exist.")
@click.option("--title", help="Title of the book; by default the cohort's.")
@click.option(
    "--workers",
    type=int,
    help="Chapters side by side, or books if there are several; by default one a processor.",
)
@click.option(
    "--scheduler",
    help="Address of a Dask scheduler, as tcp://10.0.0.1:8786, whose workers make the books. They "
    "are sent the files of each register and send its book back; no common folder is needed, and "
    "--workers is not used.",
)
@click.option("--level", type=float, default=0.95, help="Confidence level of the intervals.")
@click.option("--aggregate-only", is_flag=True, help="No figure shows a single patient's value.")
@click.option("--mask-below", type=int, default=0, help="Leave out outcomes with smaller counts.")
@click.option("--force", is_flag=True, help="Replace a book that was made there before.")
@click.option("--encoding", help="Encoding of the table; by default it is found out.")
@click.argument("more", nargs=-1)
def rerun(
    named: tuple[str, ...], more: tuple[str, ...], scheduler: str | None, **options: Any
) -> None:
    """Make the whole book about a cohort of one's own, or about each of several.

    Nothing leaves the machine unless --scheduler names another one. An interrupted run goes on
    where it stopped when the same command is given again.

    Several cohorts are made by worker processes of this machine. They talk to each other over the
    loopback interface without a password: where others whom you do not trust can log in, give
    --workers 1. A cohort with a fault is named, and the others are made; the exit status is then
    1.
    """
    from rdmas.paper.cohort import CohortError
    from rdmas.rerun import Options, RerunError
    from rdmas.rerun import rerun as make
    from rdmas.rerun.several import is_many

    patterns = (*named, *more)
    warn = partial(click.echo, err=True)
    try:
        if scheduler is not None or is_many(patterns):
            _rerun_many(patterns, scheduler, options)
            return
        result = make(Options(data=Path(patterns[0]), **options), say=click.echo, warn=warn)
    except (CohortError, RerunError) as error:
        _fail("\n".join(filter(None, (str(error), getattr(error, "detail", "")))))
    except KeyboardInterrupt:
        click.echo("Interrupted. What is done is kept; the same command goes on there.", err=True)
        sys.exit(INTERRUPTED)
    click.echo(f"Book: {result.out / 'index.html'}")


def _rerun_many(patterns: tuple[str, ...], scheduler: str | None, options: dict[str, Any]) -> None:
    """Make the books of several cohorts, and end with status 1 if one is missing."""
    from rdmas.rerun import Options
    from rdmas.rerun.many import rerun_many
    from rdmas.rerun.several import find_cohorts

    cohorts = find_cohorts(patterns, options["out"])
    asked = Options(data=Path(patterns[0]), **options)
    result = rerun_many(
        cohorts, asked, scheduler, say=click.echo, warn=partial(click.echo, err=True)
    )
    made = len(result.made) + len(result.kept)
    click.echo(f"Page about {made} cohorts: {result.out / 'index.html'}")
    if result.failed:
        has = "has" if len(result.failed) == 1 else "have"
        names = ", ".join(sorted(result.failed))
        _fail(f"{len(result.failed)} of {len(cohorts)} cohorts {has} no book: {names}.")


def _fail(reason: Exception | str) -> NoReturn:
    """Print why a command cannot go on, and end it."""
    click.echo(str(reason), err=True)
    sys.exit(1)
