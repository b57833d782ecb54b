// levenshtein.rs in JavaScript: code points and the row of the table in typed arrays.
"use strict";

// How many characters have to be put in, left out or replaced to make `b` of `a`.
function levenshtein(a, b) {
  return distance(codePoints(a), codePoints(b));
}

function codePoints(text) {
  const points = new Int32Array(text.length);
  let count = 0;
  for (let at = 0; at < text.length; count++) {
    const point = text.codePointAt(at);
    points[count] = point;
    at += point > 0xffff ? 2 : 1;
  }
  return points.subarray(0, count);
}

// The smaller of two small integers. Here and where letters are compared there is no branch: random
// letters would be guessed wrong half of the time, and Rust's compiler makes none either.
function smaller(one, other) {
  const difference = (one - other) | 0;
  return (other + (difference & (difference >> 31))) | 0;
}

function distance(a, b) {
  // Before each round, row[j] is the distance of what came of a from the first j of b.
  const row = new Int32Array(b.length + 1);
  for (let j = 0; j < row.length; j++) row[j] = j;
  for (let i = 0; i < a.length; i++) {
    const x = a[i];
    let diagonal = row[0];
    let left = i + 1;
    row[0] = left;
    for (let j = 0; j < b.length; j++) {
      const above = row[j + 1];
      const apart = x ^ b[j];
      const replaced = (diagonal + ((apart | -apart) >>> 31)) | 0;
      left = smaller(replaced, smaller(above, left) + 1);
      row[j + 1] = left;
      diagonal = above;
    }
  }
  return row[b.length];
}

// The distance of two texts of so many letters out of four, drawn by xorshift from 2463534242 on.
function levenshtein_of_noise(length) {
  let state = 2463534242 | 0;
  const letters = () => {
    const text = new Int32Array(length);
    for (let at = 0; at < length; at++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      text[at] = state >>> 30;
    }
    return text;
  };
  const a = letters();
  return distance(a, letters());
}
