import sys


def is_prime(k: int) -> bool:
    d = 2
    while d * d <= k:
        if k % d == 0:
            return False
        d += 1
    return k >= 2


def count_primes(n: int) -> int:
    return sum(is_prime(k) for k in range(2, n + 1))


def count_words(text: bytes) -> int:
    found, inside = 0, False
    for byte in text:
        space = byte == 32 or 9 <= byte <= 13
        found += not space and not inside
        inside = not space
    return found


def main() -> None:
    n = 10000
    if len(sys.argv) > 1:
        try:
            n = int(sys.argv[1])
        except ValueError:
            print(f"{sys.argv[1]} is no number", file=sys.stderr)
            sys.exit(2)
    text = sys.stdin.buffer.read()
    print(f"primes: {count_primes(n)}\nwords: {count_words(text)}")


main()
