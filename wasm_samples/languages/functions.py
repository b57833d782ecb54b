def is_prime(k: int) -> bool:
    d = 2
    while d * d <= k:
        if k % d == 0:
            return False
        d += 1
    return k >= 2


def count_primes(n: int) -> int:
    """How many primes there are up to and including n."""
    return sum(is_prime(k) for k in range(2, n + 1))


def count_words(text: str) -> int:
    """How many runs of bytes that are no white space a text has."""
    found, inside = 0, False
    for byte in text.encode():
        space = byte == 32 or 9 <= byte <= 13
        found += not space and not inside
        inside = not space
    return found
