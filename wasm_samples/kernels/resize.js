// resize.rs in JavaScript, over Uint8Array: whole numbers in the loop, places and weights in tables.
"use strict";

const LONGEST = 16384;

// For each place in the result: the two places it lies between, and the second one's weight of 256.
function table(from, to) {
  const first = new Int32Array(to);
  const second = new Int32Array(to);
  const weight = new Int32Array(to);
  for (let place = 0; place < to; place++) {
    const middle = Math.max(((place + 0.5) * from) / to - 0.5, 0);
    first[place] = middle;
    second[place] = Math.min(first[place] + 1, from - 1);
    weight[place] = (middle - first[place]) * 256 + 0.5;
  }
  return { first, second, weight };
}

// Two numbers by their weights. Math.imul keeps it in integers, where * would have to watch for floats.
function mixed(one, weight, other, otherWeight) {
  return (Math.imul(one, weight) + Math.imul(other, otherWeight)) | 0;
}

// The picture of width × height pixels as one of new_width × new_height.
function resize(pixels, width, height, new_width, new_height) {
  for (const side of [width, height, new_width, new_height]) {
    if (!(side >= 1 && side <= LONGEST)) throw new RangeError(`each side must have 1 to ${LONGEST} pixels`);
  }
  if (pixels.length !== 4 * width * height) {
    throw new RangeError(`${pixels.length} bytes are not ${width} × ${height} pixels of 4`);
  }
  const columns = table(width, new_width);
  const rows = table(height, new_height);
  const resized = new Uint8Array(4 * new_width * new_height);
  for (let y = 0, at = 0; y < new_height; y++) {
    const top = 4 * width * rows.first[y];
    const bottom = 4 * width * rows.second[y];
    const down = rows.weight[y];
    const up = 256 - down;
    for (let x = 0; x < new_width; x++, at += 4) {
      const left = 4 * columns.first[x];
      const right = 4 * columns.second[x];
      const across = columns.weight[x];
      const back = 256 - across;
      for (let channel = 0; channel < 4; channel++) {
        const above = mixed(pixels[top + left + channel], back, pixels[top + right + channel], across);
        const below = mixed(pixels[bottom + left + channel], back, pixels[bottom + right + channel], across);
        resized[at + channel] = (mixed(above, up, below, down) + 0x8000) >> 16;
      }
    }
  }
  return resized;
}

// The FNV-1a hash (32 bits) of a picture of size × size random pixels, resized to three quarters.
function resize_noise(size) {
  const pixels = new Uint8Array(4 * size * size);
  let state = 2463534242 | 0;
  for (let at = 0; at < pixels.length; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    pixels[at] = state;
    pixels[at + 1] = state >> 8;
    pixels[at + 2] = state >> 16;
    pixels[at + 3] = state >> 24;
  }
  const quarters = Math.ceil((size * 3) / 4);
  return fnv(resize(pixels, size, size, quarters, quarters));
}

function fnv(bytes) {
  let hash = 0x811c9dc5 | 0;
  for (let at = 0; at < bytes.length; at++) hash = Math.imul(hash ^ bytes[at], 0x01000193);
  return hash >>> 0;
}
