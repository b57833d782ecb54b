import { readFileSync } from 'node:fs';
import process from 'node:process';

function isPrime(k) {
  for (let d = 2; d * d <= k; d++) {
    if (k % d === 0) return false;
  }
  return k >= 2;
}

function countPrimes(n) {
  let found = 0;
  for (let k = 2; k <= n; k++) if (isPrime(k)) found++;
  return found;
}

function countWords(text) {
  let found = 0;
  let inside = false;
  for (const byte of text) {
    const space = byte === 32 || (byte >= 9 && byte <= 13);
    if (!space && !inside) found++;
    inside = !space;
  }
  return found;
}

const given = process.argv[2] ?? '10000';
if (!/^\d+$/.test(given)) {
  console.error(`${given} is no number`);
  process.exit(2);
}
const text = readFileSync(0);
console.log(`primes: ${countPrimes(Number(given))}\nwords: ${countWords(text)}`);
