"""What goes wrong, as RFC 9457 has it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

PROBLEM_JSON = "application/problem+json"


class Problem(Exception):  # noqa: N818 - RFC 9457's own word
    """An answer that says what is wrong.

    Args:
        status: HTTP's status.
        detail: One line for the user.
        more: What else there is to say, by name.
    """

    def __init__(self, status: int, detail: str, **more: object) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.more: Mapping[str, object] = more

    def said(self) -> dict[str, object]:
        """Return the body of the answer."""
        title = HTTPStatus(self.status).phrase
        head = {"type": "about:blank", "title": title, "status": self.status}
        return {**head, "detail": self.detail, **self.more}
