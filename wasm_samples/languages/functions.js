function isPrime(k) {
  for (let d = 2; d * d <= k; d++) {
    if (k % d === 0) return false;
  }
  return k >= 2;
}

/** How many primes there are up to and including n. */
export function countPrimes(n) {
  let found = 0;
  for (let k = 2; k <= n; k++) if (isPrime(k)) found++;
  return found;
}

/** How many runs of bytes that are no white space a text has. */
export function countWords(text) {
  let found = 0;
  let inside = false;
  for (const byte of new TextEncoder().encode(text)) {
    const space = byte === 32 || (byte >= 9 && byte <= 13);
    if (!space && !inside) found++;
    inside = !space;
  }
  return found;
}
