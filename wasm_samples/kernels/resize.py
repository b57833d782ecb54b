"""resize.rs in Python, without Pillow or NumPy, which are what one would use and call native code."""

from __future__ import annotations

_LONGEST = 16384


def _table(from_size: int, to: int) -> list[tuple[int, int, int]]:
    """For each place in the result: the two places it lies between, and the second one's weight of 256."""
    found = []
    for place in range(to):
        middle = max((place + 0.5) * from_size / to - 0.5, 0.0)
        first = int(middle)
        found.append((first, min(first + 1, from_size - 1), int((middle - first) * 256.0 + 0.5)))
    return found


def resize(pixels: bytes, width: int, height: int, new_width: int, new_height: int) -> bytes:
    """The picture of width × height pixels as one of new_width × new_height."""
    if not all(1 <= side <= _LONGEST for side in (width, height, new_width, new_height)):
        raise ValueError(f"each side must have 1 to {_LONGEST} pixels")
    if len(pixels) != 4 * width * height:
        raise ValueError(f"{len(pixels)} bytes are not {width} × {height} pixels of 4")
    columns = [(4 * left, 4 * right, across) for left, right, across in _table(width, new_width)]
    resized = bytearray()
    for above, below, down in _table(height, new_height):
        top = pixels[4 * width * above : 4 * width * (above + 1)]
        bottom = pixels[4 * width * below : 4 * width * (below + 1)]
        up = 256 - down
        for left, right, across in columns:
            back = 256 - across
            for channel in range(4):
                upper = top[left + channel] * back + top[right + channel] * across
                lower = bottom[left + channel] * back + bottom[right + channel] * across
                resized.append((upper * up + lower * down + 0x8000) >> 16)
    return bytes(resized)


def resize_noise(size: int) -> int:
    """The FNV-1a hash (32 bits) of a picture of size × size random pixels, resized to three quarters."""
    pixels, state = bytearray(), 2463534242
    for _ in range(size * size):
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        pixels += state.to_bytes(4, "little")
    quarters = -(-size * 3 // 4)
    hash_value = 0x811C9DC5
    for byte in resize(pixels, size, size, quarters, quarters):
        hash_value = (hash_value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return hash_value
