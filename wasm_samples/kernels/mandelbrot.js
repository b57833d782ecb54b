// mandelbrot.rs in JavaScript.
"use strict";

// After how many steps of z ↦ z² + c, from 0, |z| is above 2; `limit` when it takes that many or more.
function escape_time(re, im, limit) {
  let x = 0, y = 0, xx = 0, yy = 0;
  for (let step = 1; step < limit; step++) {
    y = 2 * x * y + im;
    x = xx - yy + re;
    xx = x * x;
    yy = y * y;
    if (xx + yy > 4) return step;
  }
  return limit;
}

// The escape time of each point of a picture of width × height.
function mandelbrot(width, height, limit) {
  const across = 3 / width;
  const down = 3 / height;
  const times = new Uint32Array(width * height);
  for (let row = 0, at = 0; row < height; row++) {
    const im = (row + 0.5) * down - 1.5;
    for (let column = 0; column < width; column++, at++) {
      times[at] = escape_time((column + 0.5) * across - 2, im, limit);
    }
  }
  return times;
}

// How many points of a picture of size × size have not escaped after 500 steps.
function points_inside(size) {
  const times = mandelbrot(size, size, 501);
  let inside = 0;
  for (let at = 0; at < times.length; at++) if (times[at] === 501) inside++;
  return inside;
}
