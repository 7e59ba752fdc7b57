"""Lists page by page: the last page says that it is the last."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chassis.http.paging import decode_cursor, page_of


@given(st.integers(0, 30), st.integers(1, 10))
def test_a_list_is_walked_without_an_empty_page(length: int, limit: int) -> None:
    """Whatever the length of list and page: every item once and in order, and no page behind the last one."""
    items = [f"{number:02d}" for number in range(length)]
    seen, pages, cursor = list[str](), 0, None
    while pages == 0 or cursor is not None:
        after = decode_cursor(cursor, 1)
        found = [item for item in items if after is None or item > after[0]][: limit + 1]
        page, cursor = page_of(found, limit, lambda item: (item,))
        seen += page
        pages += 1
    assert (seen, pages) == (items, max(1, -(-length // limit)))
