"""Tables in the docs that tests write.

A table stands between markers that name its writer. A test that finds other lines there than it has observed fails,
and says so; with FULGURITE_UPDATE_DOCS=1 it writes them instead. Of a table that several tests write each owns a row.
Tests that run at once wait for one another (a file lock).
"""

import contextlib
import fcntl
import importlib.metadata
import os
import pathlib
import sys

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"


@contextlib.contextmanager
def section(document, writer):
    """The lines between the markers, as a list to change."""
    begin, end = f"<!-- written by {writer} -->\n", "<!-- end -->"
    with open(DOCS / document, "r+" if updating() else "r", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX if updating() else fcntl.LOCK_SH)
        text = file.read()
        before, found, rest = text.partition(begin)
        held, found_end, after = rest.partition(end)
        assert found and found_end, f"docs/{document} has no `{begin.strip()}` with `{end}` after it"
        lines = held.strip("\n").split("\n") if held.strip("\n") else []
        yield lines
        changed = before + found + "\n".join(["", *lines, "", ""]) + found_end + after
        if updating() and changed != text:
            # Written at once, so that nobody who does not ask for the lock reads half of it.
            file.seek(0)
            file.write(changed)
            file.truncate()


def updating():
    return os.environ.get("FULGURITE_UPDATE_DOCS") == "1"


def compare_section(document, writer, lines):
    """The whole section is these lines, or becomes so. 0, or 1."""
    with section(document, writer) as held:
        if held == lines:
            return 0
        if updating():
            held[:] = lines
            return 0
        return differs(document, [line for line in lines if line not in held], [line for line in held if line not in lines])


def compare_row(document, writer, columns, row):
    """The row of the table with these columns is this one, or it becomes so. 0, or 1.

    It is the one with the same first cell, and the same first word in the second: behind that may stand a version.
    """
    def line(cells):
        return f"| {' | '.join(cells)} |"

    def cells(of):
        return tuple(cell.strip() for cell in of.strip().strip("|").split("|"))

    def key(of):
        return of[0], of[1].split()[0]

    assert len(columns) == len(row) and not any("|" in cell or not cell for cell in row), row
    head = [line(columns), "|" + "---|" * len(columns)]
    with section(document, writer) as held:
        rows = {key(cells(of)): of for of in held[2:]}
        was = rows.get(key(row))
        if held[:2] == head and was == line(row):
            return 0
        if updating():
            rows = rows if held[:2] == head else {}
            rows[key(row)] = line(row)
            held[:] = head + [rows[each] for each in sorted(rows)]
            return 0
        return differs(document, [line(row)] if held[:2] == head else [head[0], line(row)], [was] if was else [])


def differs(document, observed, stands):
    print(f"docs/{document} differs from what was observed; FULGURITE_UPDATE_DOCS=1 writes it. Observed:")
    print("\n".join(observed))
    print("\n".join(["and there:", *stands]) if stands else "and nothing of it there.")
    return 1


def fields(made):
    """The fields of these spans that are not empty in all of them: of those something was compared."""
    return sorted({name for span in made for name, value in span.items() if value and value not in ([0, 0, 0], ("", "", []))})


def reference(exporter, packages, compared):
    """The row of a test that compares with another implementation, by the versions of its PyPI packages. 0, or 1."""
    assert compared, "nothing was compared"
    against = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    test = f"`{pathlib.Path(sys.argv[0]).name}`"
    return compare_row("BACKENDS.md", "tests/integration/proofs.py", ("of", "test", "against", "compared"),
                       (exporter, test, against, ", ".join(compared)))
