"""The keys that end ``devrun attach``, among all that are for the program; pure."""

from __future__ import annotations

from devrun.errors import UsageError

USUAL = "ctrl-]"
"""As telnet has it; ``--focus`` uses it too."""

_FORM = "write for example ctrl-], ctrl-p,ctrl-q, or none"


class DetachKeys:
    """Looks for the keys in what is typed, however it is cut.

    Args:
        text: The keys, separated by commas; or ``none``.

    Attributes:
        shown: How users are told of them; nothing if there are none.

    Raises:
        UsageError: There is no such key.
    """

    def __init__(self, text: str = USUAL) -> None:
        keys = b"" if text == "none" else b"".join(map(_key, text.split(",")))
        self.shown = _shown(keys)
        self._held = b""
        self._forms = [keys] if keys else []
        if len(keys) == 1 and keys < b" ":
            # As terminals send it whose program has asked for more: kitty's protocol, and xterm's
            # modifyOtherKeys.
            base = keys[0] | 0x40
            codes = {base, ord(chr(base).lower())}
            self._forms += [b"\x1b[%d;5u" % code for code in codes]
            self._forms += [b"\x1b[27;5;%d~" % code for code in codes]

    def feed(self, typed: bytes) -> tuple[bytes, bool]:
        """Take what was typed; return what of it is for the program, and whether it ends there."""
        data, self._held = self._held + typed, b""
        places = [place for form in self._forms if (place := data.find(form)) >= 0]
        if places:
            return data[: min(places)], True
        self._held = data[len(data) - self._begun(data) :]
        return data[: len(data) - len(self._held)], False

    def _begun(self, data: bytes) -> int:
        """Return the length of what may be the beginning of several keys.

        Only what was said: an ESC is a key of its own, and is not held back.
        """
        first = self._forms[0] if self._forms else b""
        for length in range(min(len(first) - 1, len(data)), 0, -1):
            if data.endswith(first[:length]):
                return length
        return 0


def _key(text: str) -> bytes:
    word = text.strip().lower()
    name = word.removeprefix("ctrl-").removeprefix("ctrl+").removeprefix("^")
    if len(name) == 1 and name != word and name in "abcdefghijklmnopqrstuvwxyz[\\]^_@":
        return bytes((ord(name.upper()) & 0x1F,))
    if len(word) == 1 and " " < word < "\x7f":
        return text.strip().encode()
    raise UsageError(f'--detach-keys "{text}": no such key; {_FORM}')


def _shown(keys: bytes) -> str:
    return " ".join(
        f"Ctrl+{chr(key | 0x40).lower().upper()}" if key < 32 else chr(key) for key in keys
    )
