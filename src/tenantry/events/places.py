"""Event ids: places in the order of delivery as clients see them.

A place tells how much everybody does in the studio, so it is shown enciphered: two users' ids cannot be compared, and no
gap can be read from them.
"""

from hashlib import blake2b

__all__ = ["Places"]

_HALF = 32
_MASK = (1 << _HALF) - 1
_ROUNDS = 4


class Places:
    """Writes and reads event ids with a secret of the studio's."""

    def __init__(self, secret: str) -> None:
        self._key = blake2b(secret.encode(), digest_size=32, person=b"tenantry-events").digest()

    def write(self, place: int, index: int = 0) -> str:
        """The id of an event; `index` is which of those that are stored at one place."""
        return f"{self._shuffled(place, range(_ROUNDS)):016x}.{index}"

    def read(self, event_id: str) -> tuple[int, int] | None:
        """The place and index of an id; None for what is no id. An id of another studio gives a place that never was."""
        word, _, index = event_id.partition(".")
        if len(word) != 16 or not index.isascii() or not index.isdigit() or len(index) > 10:
            return None
        try:
            number = int(word, 16)
        except ValueError:
            return None
        return self._unshuffled(number), int(index)

    def _shuffled(self, number: int, rounds: range) -> int:
        """A Feistel network over 64 bits (Luby and Rackoff, 1988)."""
        left, right = number >> _HALF, number & _MASK
        for turn in rounds:
            left, right = right, left ^ self._mixed(right, turn)
        return left << _HALF | right

    def _unshuffled(self, number: int) -> int:
        left, right = number >> _HALF, number & _MASK
        for turn in reversed(range(_ROUNDS)):
            left, right = right ^ self._mixed(left, turn), left
        return left << _HALF | right

    def _mixed(self, half: int, turn: int) -> int:
        digest = blake2b(half.to_bytes(4, "big") + bytes([turn]), digest_size=4, key=self._key).digest()
        return int.from_bytes(digest, "big")
