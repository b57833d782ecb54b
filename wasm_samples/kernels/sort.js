// sort.rs in JavaScript, over Int32Array. What one would use is its own sort(), which V8 brings along.
"use strict";

// Up to so many numbers are sorted by insertion.
const SHORT = 16;

// The numbers in ascending order, by quicksort: median of three, Hoare's partition.
function quicksort(numbers) {
  const sorted = Int32Array.from(numbers);
  quicksortPart(sorted, 0, sorted.length - 1);
  return sorted;
}

function quicksortPart(part, first, last) {
  while (last - first >= SHORT) {
    const middle = partition(part, first, last);
    // The call goes to the shorter side, so that calls nest no deeper than log2 of the length.
    if (middle - first < last - middle + 1) {
      quicksortPart(part, first, middle - 1);
      first = middle;
    } else {
      quicksortPart(part, middle, last);
      last = middle - 1;
    }
  }
  insertionSort(part, first, last);
}

// Puts the numbers up to the pivot before those from it on; gives where the second part begins.
function partition(part, first, last) {
  const a = part[first];
  const b = part[first + ((last - first) >> 1)];
  const c = part[last];
  const pivot = a < b ? (b < c ? b : a < c ? c : a) : a < c ? a : b < c ? c : b;
  let left = first;
  let right = last;
  for (;;) {
    while (part[left] < pivot) left++;
    while (part[right] > pivot) right--;
    if (left >= right) return left > first ? left : first + 1;
    const number = part[left];
    part[left++] = part[right];
    part[right--] = number;
  }
}

function insertionSort(part, first, last) {
  for (let next = first + 1; next <= last; next++) {
    const number = part[next];
    let at = next;
    while (at > first && part[at - 1] > number) {
      part[at] = part[at - 1];
      at--;
    }
    part[at] = number;
  }
}

// The numbers in ascending order, by merging runs of 1, 2, 4 … numbers.
function merge_sort(numbers) {
  const length = numbers.length;
  let from = Int32Array.from(numbers);
  let to = new Int32Array(length);
  for (let run = 1; run < length; run *= 2) {
    for (let start = 0; start < length; start += 2 * run) {
      merge(from, to, start, Math.min(start + run, length), Math.min(start + 2 * run, length));
    }
    const full = to;
    to = from;
    from = full;
  }
  return from;
}

function merge(from, to, start, middle, end) {
  let i = start;
  let j = middle;
  for (let place = start; place < end; place++) {
    if (j === end || (i < middle && from[i] <= from[j])) to[place] = from[i++];
    else to[place] = from[j++];
  }
}

// So many numbers by Marsaglia's xorshift generator, from 2463534242 on.
function noise(count) {
  const numbers = new Int32Array(count);
  let state = 2463534242 | 0;
  for (let at = 0; at < count; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    numbers[at] = state;
  }
  return numbers;
}

function checksum(numbers) {
  let sum = 0;
  for (let at = 0; at < numbers.length; at++) sum = (Math.imul(sum, 31) + numbers[at]) | 0;
  return sum >>> 0;
}

// The checksum of so many random numbers, sorted by quicksort.
function quicksort_noise(count) {
  return checksum(quicksort(noise(count)));
}

// The checksum of so many random numbers, sorted by merge_sort.
function merge_sort_noise(count) {
  return checksum(merge_sort(noise(count)));
}

// The same by the typed array's own sort: another algorithm, in native code.
function quicksort_noise_builtin(count) {
  return checksum(noise(count).sort());
}
