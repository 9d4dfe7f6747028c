"""`python -m tests.unit.benchmarks.accept` writes what the page of the results says now: read it."""

from pathlib import Path

from benchmarks.publishing import Shelf, write_page
from benchmarks.record import written
from tests.unit.benchmarks.results import of_all

GOLDEN = Shelf(Path(__file__).parent / "golden")


def main() -> None:
    GOLDEN.results.mkdir(parents=True, exist_ok=True)
    for result in of_all():
        (GOLDEN.results / f"{result.suite}.json").write_text(written(result), encoding="utf-8")
    write_page(GOLDEN)


if __name__ == "__main__":
    main()
