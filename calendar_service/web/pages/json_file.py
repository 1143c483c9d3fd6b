"""A JSON file that is written entry by entry, so that memory holds its text and not its values too.

It is not sent while it is written: the web server ends an answer whose iterator fails as if it were whole, and whoever
reads slowly would keep a thread and a slot.
"""

import json
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any


def written(members: Iterable[tuple[str, Any]]) -> bytes:
    """Return an object in UTF-8 with a line for each member, and for each entry of an iterator."""
    file = BytesIO()
    for text in _texts(members):
        file.write(text.encode())
    return file.getvalue()


def _texts(members: Iterable[tuple[str, Any]]) -> Iterator[str]:
    yield "{"
    before = ""
    for name, value in members:
        yield f"{before}\n  {_text(name)}: "
        before = ","
        if isinstance(value, Iterator):
            yield from _list(value)
        else:
            yield _text(value)
    yield "\n}\n"


def _list(entries: Iterator[Any]) -> Iterator[str]:
    yield "["
    before = ""
    for entry in entries:
        yield f"{before}\n    {_text(entry)}"
        before = ","
    yield "\n  ]" if before else "]"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
