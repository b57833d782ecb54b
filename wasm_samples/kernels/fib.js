// fib.rs in JavaScript.
"use strict";

// The n-th Fibonacci number by the slow definition. Exact up to n = 78; beyond, a Number rounds.
function fib(n) {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

// The n-th Fibonacci number modulo 2^64, in n additions. Two 32-bit halves with a carry: V8 keeps
// those in registers, where a BigInt would be an object for each sum.
function fib_iterative(n) {
  let low = 0, high = 0, nextLow = 1, nextHigh = 0;
  for (let i = 0; i < n; i++) {
    const sumLow = (low + nextLow) >>> 0;
    const sumHigh = (high + nextHigh + (sumLow < nextLow ? 1 : 0)) >>> 0;
    low = nextLow;
    high = nextHigh;
    nextLow = sumLow;
    nextHigh = sumHigh;
  }
  return (BigInt(high) << 32n) | BigInt(low);
}
