"""sha256.rs in Python, by the same algorithm; `hashlib.sha256` is what one would use, and native code."""

from __future__ import annotations

# FIPS 180-4, 4.2.2 and 5.3.3.
_K = (
    0x428A2F98, 0x71374491, 0xB5C0FBCF, 0xE9B5DBA5, 0x3956C25B, 0x59F111F1, 0x923F82A4, 0xAB1C5ED5,
    0xD807AA98, 0x12835B01, 0x243185BE, 0x550C7DC3, 0x72BE5D74, 0x80DEB1FE, 0x9BDC06A7, 0xC19BF174,
    0xE49B69C1, 0xEFBE4786, 0x0FC19DC6, 0x240CA1CC, 0x2DE92C6F, 0x4A7484AA, 0x5CB0A9DC, 0x76F988DA,
    0x983E5152, 0xA831C66D, 0xB00327C8, 0xBF597FC7, 0xC6E00BF3, 0xD5A79147, 0x06CA6351, 0x14292967,
    0x27B70A85, 0x2E1B2138, 0x4D2C6DFC, 0x53380D13, 0x650A7354, 0x766A0ABB, 0x81C2C92E, 0x92722C85,
    0xA2BFE8A1, 0xA81A664B, 0xC24B8B70, 0xC76C51A3, 0xD192E819, 0xD6990624, 0xF40E3585, 0x106AA070,
    0x19A4C116, 0x1E376C08, 0x2748774C, 0x34B0BCB5, 0x391C0CB3, 0x4ED8AA4A, 0x5B9CCA4F, 0x682E6FF3,
    0x748F82EE, 0x78A5636F, 0x84C87814, 0x8CC70208, 0x90BEFFFA, 0xA4506CEB, 0xBEF9A3F7, 0xC67178F2,
)  # fmt: skip
_INITIAL = (
    0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19,
)  # fmt: skip
_WORD = 0xFFFFFFFF


def _rotated(word: int, by: int) -> int:
    return (word >> by | word << (32 - by)) & _WORD


def _compress(state: list[int], block: bytes) -> list[int]:
    w = [int.from_bytes(block[at : at + 4], "big") for at in range(0, 64, 4)]
    for t in range(16, 64):
        x, y = w[t - 15], w[t - 2]
        s0 = _rotated(x, 7) ^ _rotated(x, 18) ^ (x >> 3)
        s1 = _rotated(y, 17) ^ _rotated(y, 19) ^ (y >> 10)
        w.append((w[t - 16] + s0 + w[t - 7] + s1) & _WORD)
    a, b, c, d, e, f, g, h = state
    for constant, word in zip(_K, w, strict=True):
        s1 = _rotated(e, 6) ^ _rotated(e, 11) ^ _rotated(e, 25)
        t1 = h + s1 + ((e & f) ^ (~e & g)) + constant + word
        s0 = _rotated(a, 2) ^ _rotated(a, 13) ^ _rotated(a, 22)
        t2 = s0 + ((a & b) ^ (a & c) ^ (b & c))
        a, b, c, d, e, f, g, h = (t1 + t2) & _WORD, a, b, c, (d + t1) & _WORD, e, f, g
    return [(old + new) & _WORD for old, new in zip(state, (a, b, c, d, e, f, g, h), strict=True)]


def sha256(data: bytes) -> bytes:
    """The 32 bytes of the SHA-256 of ``data``."""
    padded = bytes(data) + b"\x80" + bytes((55 - len(data)) % 64) + (len(data) * 8).to_bytes(8, "big")
    state = list(_INITIAL)
    for at in range(0, len(padded), 64):
        state = _compress(state, padded[at : at + 64])
    return b"".join(word.to_bytes(4, "big") for word in state)


def sha256_hex(text: str) -> str:
    """The SHA-256 of a text in UTF-8, as 64 hexadecimal digits."""
    return sha256(text.encode()).hex()


def sha256_of_letters(size_bytes: int) -> int:
    """The first four bytes, as a number, of the SHA-256 of so many letters ``a``."""
    return int.from_bytes(sha256(b"a" * size_bytes)[:4], "big")
