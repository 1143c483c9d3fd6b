"""Reads whole numbers that somebody else wrote."""


def whole_number(text: str, limit: int) -> int | None:
    """Return the number that these decimal digits write, or None for any other text and for a number above `limit`."""
    # The digits are counted first: Python raises ValueError for more than 4,300 of them, which is anybody's 500.
    if not text.isascii() or not text.isdigit() or len(text) > len(str(limit)):
        return None
    number = int(text)
    return number if number <= limit else None
