// sieve.rs in JavaScript.
"use strict";

// For each number below limit, 1 where it is prime.
function sieve(limit) {
  const prime = new Uint8Array(limit).fill(1);
  prime.fill(0, 0, 2);
  for (let number = 2; number * number < limit; number++) {
    if (prime[number] === 1) {
      for (let multiple = number * number; multiple < limit; multiple += number) prime[multiple] = 0;
    }
  }
  return prime;
}

function sum(prime) {
  let count = 0;
  for (let number = 0; number < prime.length; number++) count += prime[number];
  return count;
}

// How many primes are below limit.
function count_primes(limit) {
  return sum(sieve(limit));
}

// The primes below limit, in ascending order.
function primes(limit) {
  const prime = sieve(limit);
  const found = new Uint32Array(sum(prime));
  for (let number = 0, count = 0; number < limit; number++) {
    if (prime[number] === 1) found[count++] = number;
  }
  return found;
}
