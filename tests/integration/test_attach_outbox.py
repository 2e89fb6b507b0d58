"""What waits for an attached client is bounded, and nothing is missing without being told."""

from __future__ import annotations

import trio
from hypothesis import given
from hypothesis import strategies as st

from devrun.control.outbox import MOST_NEWS, Outbox


async def test_what_came_in_one_go_is_one_message_and_news_stay_in_their_place():
    outbox = Outbox()
    outbox.put(b"a")
    outbox.put(b"b")
    outbox.tell({"exit": "exit code 3"})
    outbox.put(b"c")
    assert await outbox.take() == [b"ab", {"exit": "exit code 3"}, b"c"]


async def test_what_is_too_much_is_counted_and_news_are_kept():
    outbox = Outbox(most=10)
    outbox.put(b"12345678")
    outbox.tell({"generation": 2})
    outbox.put(b"abcdefgh")
    assert await outbox.take() == [{"gap": 8}, {"generation": 2}, b"abcdefgh"]


async def test_of_too_many_news_the_latest_are_kept_and_the_others_counted():
    outbox = Outbox()
    outbox.put(b"before")
    for number in range(MOST_NEWS + 3):
        outbox.tell({"generation": number})
    first, before, *news = await outbox.take()
    assert (first, before) == ({"gap": 0, "news": 3}, b"before")
    assert news == [{"generation": number} for number in range(3, MOST_NEWS + 3)]
    outbox.tell({"generation": 1})
    assert await outbox.take() == [{"generation": 1}]


async def test_the_end_comes_behind_what_waits():
    outbox = Outbox()
    outbox.put(b"last")
    outbox.close()
    assert await outbox.take() == [b"last"]
    assert await outbox.take() == []


@given(st.lists(st.binary(min_size=1, max_size=30)))
def test_every_byte_is_shown_or_counted(chunks):
    trio.run(every_byte, chunks)


async def every_byte(chunks):
    outbox = Outbox(most=50)
    for chunk in chunks:
        outbox.put(chunk)
    outbox.close()
    messages = await outbox.take()
    shown = b"".join(m for m in messages if isinstance(m, bytes))
    missed = sum(m["gap"] for m in messages if not isinstance(m, bytes))
    assert len(shown) + missed == sum(map(len, chunks))
    assert b"".join(chunks).endswith(shown)
    assert len(shown) <= 50
