"""Views in memory while they are folded: what was read or written lately, and is likely to change again."""

from services.status.projection import VIEW_TYPES, Row
from services.status.views import View

KEPT_MAX = 300  # views
KEPT_CHARACTERS_MAX = 4_000_000  # of their documents; a run with all of its story usually has 20,000


class KeptViews:
    """Views with the documents they were read from, or written as.

    Another replica may have written a row since. So the row is always read, and what is spared is to read
    the very same text again: most events change a view that was written a moment ago.
    """

    def __init__(self) -> None:
        self._kept: dict[Row, tuple[str, View]] = {}  # what was used last comes last
        self._characters = 0

    def read(self, row: Row, document: str) -> View:
        """Return the view that the document is."""
        known = self._kept.get(row)
        if known is not None and known[0] == document:
            return known[1]
        view = VIEW_TYPES[row[0]].model.model_validate_json(document)
        self._keep(row, document, view)
        return view

    def written(self, row: Row, view: View) -> str:
        """Return the view's document."""
        document = view.model_dump_json()
        self._keep(row, document, view)
        return document

    def _keep(self, row: Row, document: str, view: View) -> None:
        self._forget(row)
        self._kept[row] = (document, view)
        self._characters += len(document)
        while len(self._kept) > KEPT_MAX or self._characters > KEPT_CHARACTERS_MAX:
            self._forget(next(iter(self._kept)))

    def _forget(self, row: Row) -> None:
        if row in self._kept:
            self._characters -= len(self._kept.pop(row)[0])
