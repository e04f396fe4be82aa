"""CSV files as they come damaged: each mutation takes the bytes of a file and a source of chance, and gives others."""

import random
from collections.abc import Callable

Mutation = Callable[[bytes, random.Random], bytes]


def mutated(data: bytes, rng: random.Random) -> tuple[bytes, list[str]]:
    """One to three mutations of a file, and their names."""
    chosen = rng.choices(MUTATIONS, k=rng.choice([1, 1, 1, 2, 3]))
    for mutation in chosen:
        data = mutation(data, rng)
    return data, [mutation.__name__ for mutation in chosen]


def flip_bytes(data: bytes, rng: random.Random) -> bytes:
    """Some bytes become others."""
    damaged = bytearray(data)
    for _ in range(rng.choice([1, 3, 30]) if damaged else 0):
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    return bytes(damaged)


def drop_bytes(data: bytes, rng: random.Random) -> bytes:
    """A stretch is missing."""
    start = rng.randrange(len(data) + 1)
    return data[:start] + data[start + rng.choice([1, 7, 200, 5000]) :]


def cut_short(data: bytes, rng: random.Random) -> bytes:
    """The end is missing, as after a broken transfer."""
    return data[: rng.randrange(len(data) + 1)]


def open_quotes(data: bytes, rng: random.Random) -> bytes:
    """Quotation marks where none belong."""
    for _ in range(rng.choice([1, 1, 2, 5])):
        at = rng.randrange(len(data) + 1)
        data = data[:at] + rng.choice([b'"', b'""', b"'", b'",', b',"', b'"\n']) + data[at:]
    return data


def nul_bytes(data: bytes, rng: random.Random) -> bytes:
    """NUL bytes, one or many."""
    at = rng.randrange(len(data) + 1)
    return data[:at] + b"\0" * rng.choice([1, 2, 512]) + data[at:]


def control_signs(data: bytes, rng: random.Random) -> bytes:
    """Signs nobody sees, and those that look like spaces or end lines elsewhere."""
    sign = rng.choice(["\x1a", "\x0b", "\x0c", "\u00a0", "\u200b", "\u2028", "\ufeff", "\x85", "\x1b[31m"])
    at = rng.randrange(len(data) + 1)
    return data[:at] + sign.encode() + data[at:]


def byte_order_mark(data: bytes, rng: random.Random) -> bytes:
    """A mark that says another encoding, or the right one twice."""
    return rng.choice([b"\xef\xbb\xbf", b"\xef\xbb\xbf\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0"]) + data


def other_encoding(data: bytes, rng: random.Random) -> bytes:
    """The file in another encoding."""
    encoding = rng.choice(["cp1252", "latin-1", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "mac-roman", "utf-7"])
    return data.decode("utf-8", "replace").encode(encoding, "replace")


def mixed_encodings(data: bytes, rng: random.Random) -> bytes:
    """The lines of two exports, in two encodings, in one file."""
    other = rng.choice(["cp1252", "utf-16-le", "cp437"])
    lines = data.splitlines(keepends=True)
    start = rng.randrange(len(lines) + 1)
    return b"".join(
        line.decode("utf-8", "replace").encode(other, "replace") if number >= start else line
        for number, line in enumerate(lines)
    )


def line_ends(data: bytes, rng: random.Random) -> bytes:
    """Other ends of lines, or several kinds."""
    ends = rng.choice([[b"\r\n"], [b"\r"], [b"\n\r"], [b"\r\n", b"\n"], [b"\r\n", b"\n", b"\r"], [b"\n\n"]])
    return b"".join(line + rng.choice(ends) for line in data.splitlines())


def other_separator(data: bytes, rng: random.Random) -> bytes:
    """Another separator, everywhere or on some lines."""
    sign, share = rng.choice([b";", b"\t", b"|", b":", b" ", b"~"]), rng.choice([1.0, 1.0, 0.5, 0.1])
    lines = data.splitlines(keepends=True)
    return b"".join(line.replace(b",", sign) if rng.random() < share else line for line in lines)


def swap_columns(data: bytes, rng: random.Random) -> bytes:
    """Two columns change places, with the header or without it."""
    rows, skip = _cells(data), rng.choice([0, 1])
    if not rows or len(rows[0]) < 2:
        return data
    one, other = rng.sample(range(len(rows[0])), 2)
    for row in rows[skip:]:
        if max(one, other) < len(row):
            row[one], row[other] = row[other], row[one]
    return _lines(rows)


def rename_column(data: bytes, rng: random.Random) -> bytes:
    """A name of the header is another, empty, or that of its neighbour."""
    rows = _cells(data)
    if not rows or not rows[0]:
        return data
    at = rng.randrange(len(rows[0]))
    rows[0][at] = rng.choice([b"", b"other", rows[0][at - 1], rows[0][at].upper(), b" " + rows[0][at], b"__index__"])
    return _lines(rows)


def repeat_column(data: bytes, rng: random.Random) -> bytes:
    """A column stands twice, or is gone."""
    rows = _cells(data)
    if not rows or not rows[0]:
        return data
    at, twice = rng.randrange(len(rows[0])), rng.random() < 0.5
    return _lines([row[: at + twice] + row[at + (not twice) :] for row in rows])


def ragged_rows(data: bytes, rng: random.Random) -> bytes:
    """Some rows have cells too many or too few."""
    rows = _cells(data)
    for row in rng.sample(rows, min(len(rows), rng.choice([1, 3, 20]))):
        row[:] = [*row, b"x"] if rng.random() < 0.5 else row[: rng.randrange(len(row) + 1)]
    return _lines(rows)


def move_rows(data: bytes, rng: random.Random) -> bytes:
    """Rows are gone, stand twice, or in another order; the header may be among them."""
    lines = data.splitlines(keepends=True)
    if not lines:
        return data
    some = rng.sample(lines, min(len(lines), rng.choice([1, 5, 50])))
    kind = rng.choice(["gone", "twice", "shuffled", "no header", "header twice"])
    if kind == "gone":
        return b"".join(line for line in lines if line not in some)
    if kind == "twice":
        return b"".join(lines + some)
    if kind == "shuffled":
        return b"".join(rng.sample(lines, len(lines)))
    return b"".join(lines[1:] if kind == "no header" else [*lines, lines[0]])


def huge_fields(data: bytes, rng: random.Random) -> bytes:
    """A cell of a million signs, or a number of a thousand digits."""
    return _with(data, rng, [b"x" * 1_000_000, b"9" * 1_000, b'"' + b"y\n" * 100_000 + b'"', b"1e999", b"-" * 5_000])


def scrambled_dates(data: bytes, rng: random.Random) -> bytes:
    """Dates that are none, or of other times."""
    wrong = [b"2024-02-30", b"0000-00-00", b"31/02/2024", b"9999-12-31", b"-1", b"1e10", b"45000", b"2024-13-01 25:61:61",
             b"tomorrow", b"1969-12-31T23:59:60Z", b"99999-01-01", b"2024-06-01T10:00:00+99:00", b"20240229", b"12:30"]  # fmt: skip
    return _with(data, rng, wrong, rng.choice([1, 5, 40]))


def scrambled_numbers(data: bytes, rng: random.Random) -> bytes:
    """Numbers that are none, or could be two."""
    wrong = [b"1,234", b"1.234,56", b"NaN", b"inf", b"-inf", b"1e308", b"-0", b"0x1F", b"12 345", b"1'000", b"EUR",
             b"5%", b"(12)", b"--5", b"9" * 30, b"1.2.3", "١٢٣".encode(), "½".encode()]  # fmt: skip
    return _with(data, rng, [b'"' + each + b'"' for each in wrong], rng.choice([1, 5, 40]))


def missing_values(data: bytes, rng: random.Random) -> bytes:
    """Cells that mean nothing, in many words."""
    words = [
        b"",
        b"NULL",
        b"null",
        b"None",
        b"N/A",
        b"#REF!",
        b"-",
        b" ",
        b"\\N",
        b'""',
        b"=1+1",
        b"<script>alert(1)</script>",
    ]
    return _with(data, rng, words, rng.choice([1, 5, 100]))


def empty_column(data: bytes, rng: random.Random) -> bytes:
    """A column without any value."""
    rows = _cells(data)
    if not rows or not rows[0]:
        return data
    at = rng.randrange(len(rows[0]))
    return _lines([rows[0], *([cell if n != at else b"" for n, cell in enumerate(row)] for row in rows[1:])])


def personal_data(data: bytes, rng: random.Random) -> bytes:
    """What must never enter: an address of e-mail, a telephone number."""
    return _with(data, rng, [b"jean.dupont@example.com", b"+33 6 12 34 56 78", b"0612345678"], rng.choice([1, 40]))


MUTATIONS: list[Mutation] = [
    flip_bytes, drop_bytes, cut_short, open_quotes, nul_bytes, control_signs, byte_order_mark, other_encoding,
    mixed_encodings, line_ends, other_separator, swap_columns, rename_column, repeat_column, ragged_rows, move_rows,
    huge_fields, scrambled_dates, scrambled_numbers, missing_values, empty_column, personal_data,
]  # fmt: skip


def _cells(data: bytes) -> list[list[bytes]]:
    """Cells as they stand between commas: good enough to damage them."""
    return [line.split(b",") for line in data.splitlines()]


def _lines(rows: list[list[bytes]]) -> bytes:
    return b"".join(b",".join(row) + b"\n" for row in rows)


def _with(data: bytes, rng: random.Random, values: list[bytes], times: int = 1) -> bytes:
    """Some cells replaced by some of `values`, half of the time all in one column."""
    rows = [row for row in _cells(data) if row]
    if len(rows) < 2:
        return data
    column = rng.randrange(len(rows[0])) if rng.random() < 0.5 else None
    for _ in range(times):
        row = rows[rng.randrange(1, len(rows))]
        at = rng.randrange(len(row)) if column is None or column >= len(row) else column
        row[at] = rng.choice(values)
    return _lines(rows)
