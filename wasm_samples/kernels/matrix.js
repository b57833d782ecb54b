// matrix.rs in JavaScript, over Float64Array.
"use strict";

function check(a, b, n) {
  if (a.length !== n * n) throw new RangeError(`a has ${a.length} numbers, not ${n} × ${n}`);
  if (b.length !== n * n) throw new RangeError(`b has ${b.length} numbers, not ${n} × ${n}`);
}

// a · b, with the loops in the order that walks memory forwards.
function multiply(a, b, n) {
  check(a, b, n);
  const product = new Float64Array(n * n);
  for (let row = 0; row < n; row++) {
    const target = row * n;
    for (let inner = 0; inner < n; inner++) {
      const factor = a[target + inner];
      const source = inner * n;
      for (let column = 0; column < n; column++) {
        product[target + column] += factor * b[source + column];
      }
    }
  }
  return product;
}

// a · b as the textbook writes it: down each column of b, which jumps through memory.
function multiply_textbook(a, b, n) {
  check(a, b, n);
  const product = new Float64Array(n * n);
  for (let row = 0; row < n; row++) {
    for (let column = 0; column < n; column++) {
      let sum = 0;
      for (let inner = 0; inner < n; inner++) sum += a[row * n + inner] * b[inner * n + column];
      product[row * n + column] = sum;
    }
  }
  return product;
}

// The sum of the diagonal of a · a, where a has i + j in row i and column j.
function trace_of_product(n) {
  const a = new Float64Array(n * n);
  for (let row = 0; row < n; row++) {
    for (let column = 0; column < n; column++) a[row * n + column] = row + column;
  }
  const product = multiply(a, a, n);
  let trace = 0;
  for (let at = 0; at < n; at++) trace += product[at * n + at];
  return trace;
}
