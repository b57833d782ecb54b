// sha256.rs in JavaScript: 32-bit integers in typed arrays, `| 0` after each sum.
"use strict";

// FIPS 180-4, 4.2.2 and 5.3.3.
const K = new Int32Array([
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);
const INITIAL = new Int32Array([
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

// FIPS 180-4, 6.2.2: the block of 64 bytes at `start` into the hash value. `w` is room to work in.
function compress(state, bytes, start, w) {
  for (let t = 0, at = start; t < 16; t++, at += 4) {
    w[t] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  }
  for (let t = 16; t < 64; t++) {
    const x = w[t - 15];
    const y = w[t - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[t] = (w[t - 16] + s0 + w[t - 7] + s1) | 0;
  }
  let a = state[0], b = state[1], c = state[2], d = state[3];
  let e = state[4], f = state[5], g = state[6], h = state[7];
  for (let t = 0; t < 64; t++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const choice = (e & f) ^ (~e & g);
    const t1 = (h + s1 + choice + K[t] + w[t]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const majority = (a & b) ^ (a & c) ^ (b & c);
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + s0 + majority) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

// The eight words of the hash.
function hashed(data) {
  const state = INITIAL.slice();
  const w = new Int32Array(64);
  const whole = data.length - (data.length % 64);
  for (let start = 0; start < whole; start += 64) compress(state, data, start, w);
  // Padding (5.1.1): a one bit, zeros, and the length in bits as 64 bits.
  const left = data.length - whole;
  const rest = new Uint8Array(left < 56 ? 64 : 128);
  rest.set(data.subarray(whole));
  rest[left] = 0x80;
  const view = new DataView(rest.buffer);
  view.setUint32(rest.length - 8, Math.floor(data.length / 2 ** 29));
  view.setUint32(rest.length - 4, data.length << 3);
  for (let start = 0; start < rest.length; start += 64) compress(state, rest, start, w);
  return state;
}

// The 32 bytes of the SHA-256 of a Uint8Array.
function sha256(data) {
  const view = new DataView(new ArrayBuffer(32));
  hashed(data).forEach((word, index) => view.setInt32(4 * index, word));
  return new Uint8Array(view.buffer);
}

// The SHA-256 of a text in UTF-8, as 64 hexadecimal digits.
function sha256_hex(text) {
  const bytes = sha256(new TextEncoder().encode(text));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The first four bytes, as a number, of the SHA-256 of so many letters a.
function sha256_of_letters(size_bytes) {
  return hashed(new Uint8Array(size_bytes).fill(0x61))[0] >>> 0;
}
