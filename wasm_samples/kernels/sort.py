"""sort.rs in Python. What one would use is ``sorted``, which is native code."""

from __future__ import annotations

_SHORT = 16


def quicksort(numbers: list[int]) -> list[int]:
    """The numbers in ascending order, by quicksort: median of three, Hoare's partition."""
    part = list(numbers)
    _quicksort_part(part, 0, len(part) - 1)
    return part


def _quicksort_part(part: list[int], first: int, last: int) -> None:
    while last - first >= _SHORT:
        middle = _partition(part, first, last)
        if middle - first < last - middle + 1:
            _quicksort_part(part, first, middle - 1)
            first = middle
        else:
            _quicksort_part(part, middle, last)
            last = middle - 1
    for following in range(first + 1, last + 1):
        number, at = part[following], following
        while at > first and part[at - 1] > number:
            part[at] = part[at - 1]
            at -= 1
        part[at] = number


def _partition(part: list[int], first: int, last: int) -> int:
    a, b, c = part[first], part[first + (last - first) // 2], part[last]
    pivot = max(min(a, b), min(max(a, b), c))
    left, right = first, last
    while True:
        while part[left] < pivot:
            left += 1
        while part[right] > pivot:
            right -= 1
        if left >= right:
            return max(left, first + 1)
        part[left], part[right] = part[right], part[left]
        left += 1
        right -= 1


def merge_sort(numbers: list[int]) -> list[int]:
    """The numbers in ascending order, by merging runs of 1, 2, 4 … numbers."""
    source, run = list(numbers), 1
    while run < len(source):
        target: list[int] = []
        for start in range(0, len(source), 2 * run):
            _merge(source[start : start + run], source[start + run : start + 2 * run], target)
        source = target
        run *= 2
    return source


def _merge(left: list[int], right: list[int], target: list[int]) -> None:
    i = j = 0
    while i < len(left) and j < len(right):
        if left[i] <= right[j]:
            target.append(left[i])
            i += 1
        else:
            target.append(right[j])
            j += 1
    target += left[i:]
    target += right[j:]


def _noise(count: int) -> list[int]:
    """So many numbers by Marsaglia's xorshift generator, from 2463534242 on, as signed ones."""
    numbers, state = [], 2463534242
    for _ in range(count):
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        numbers.append(state - 2**32 if state >= 2**31 else state)
    return numbers


def _checksum(numbers: list[int]) -> int:
    total = 0
    for number in numbers:
        total = (total * 31 + number) & 0xFFFFFFFF
    return total


def quicksort_noise(count: int) -> int:
    """The checksum of so many random numbers, sorted by `quicksort`."""
    return _checksum(quicksort(_noise(count)))


def merge_sort_noise(count: int) -> int:
    """The checksum of so many random numbers, sorted by `merge_sort`."""
    return _checksum(merge_sort(_noise(count)))


def quicksort_noise_builtin(count: int) -> int:
    """The same by ``sorted``: another algorithm, in native code."""
    return _checksum(sorted(_noise(count)))
