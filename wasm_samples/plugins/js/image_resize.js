// Images to another size, against the same WIT as the plugin in Rust; binary PNM (P6) alone.
//
// To build (see package.json beside this file):
//     npm install
//     npx jco componentize image_resize.js --wit ../wit --world-name plugin --disable all -o image_resize.wasm
//
// A variant is an object with a tag and a value; what is thrown becomes the `err` of a result.

const MOST_PIXELS = 4096;

const badInput = (why) => ({ tag: "bad-input", val: why });
const badOption = (name, why) => ({ tag: "bad-option", val: [name, why] });

function pixels(name, text) {
  const number = /^[0-9]+$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > MOST_PIXELS) {
    throw badOption(name, `it is no number of pixels from 1 to ${MOST_PIXELS}`);
  }
  return number;
}

/** Width, height and where the pixels begin. */
function readHeader(input) {
  if (input[0] !== 0x50 || input[1] !== 0x36) throw badInput("no binary PNM (P6)");
  let at = 2;
  const next = () => {
    for (;;) {
      if (input[at] === 0x23) while (at < input.length && input[at] !== 0x0a) at++;
      else if (input[at] === 0x20 || (input[at] >= 0x09 && input[at] <= 0x0d)) at++;
      else break;
    }
    let number = 0;
    while (input[at] >= 0x30 && input[at] <= 0x39) number = number * 10 + input[at++] - 0x30;
    return number;
  };
  const [width, height, levels] = [next(), next(), next()];
  if (!(width >= 1 && width <= MOST_PIXELS && height >= 1 && height <= MOST_PIXELS)) {
    throw badInput(`its size is not within 1 to ${MOST_PIXELS} pixels`);
  }
  if (levels !== 255) throw badInput("only 255 levels of each colour are read");
  at++; // one white space
  if (input.length - at < width * height * 3) throw badInput("it is cut short");
  return [width, height, at];
}

/**
 * Each of `lines` lines of `from` pixels becomes one of `to` pixels, in rows as well as in columns: `step`
 * is between two pixels of a line, `line` between two lines. The weights are those of the crate `image`:
 * a kernel as wide as the pixels that fall into one.
 */
function resample(source, from, sourceStep, sourceLine, target, to, targetStep, targetLine, lines, nearest) {
  const ratio = from / to;
  const wide = Math.max(1, ratio);
  const support = nearest ? 0 : wide;
  const weights = new Float32Array(Math.ceil(2 * wide) + 4);
  for (let out = 0; out < to; out++) {
    const centre = (out + 0.5) * ratio;
    const left = Math.min(Math.max(Math.floor(centre - support), 0), from - 1);
    const right = Math.min(Math.max(Math.ceil(centre + support), left + 1), from);
    let sum = 0;
    for (let i = left; i < right; i++) {
      weights[i - left] = nearest ? 1 : Math.max(0, 1 - Math.abs((i - (centre - 0.5)) / wide));
      sum += weights[i - left];
    }
    for (let i = left; i < right; i++) weights[i - left] /= sum;
    for (let line = 0; line < lines; line++) {
      for (let channel = 0; channel < 3; channel++) {
        let value = 0;
        for (let i = left; i < right; i++) {
          value += source[line * sourceLine + i * sourceStep + channel] * weights[i - left];
        }
        target[line * targetLine + out * targetStep + channel] = value;
      }
    }
  }
}

export const transform = {
  describe() {
    return {
      name: "image-resize-js",
      version: "1.0.0",
      summary: "Images to another size, in the same format, in JavaScript.",
      accepts: ["image/x-portable-pixmap"],
      gives: "image/x-portable-pixmap",
      options: ["width", "height", "filter"],
    };
  },

  apply(input, options) {
    let [width, height, filter] = [0, 0, "bilinear"];
    for (const [name, value] of options) {
      if (name === "width") width = pixels(name, value);
      else if (name === "height") height = pixels(name, value);
      else if (name !== "filter") throw badOption(name, "there is no such option");
      else if (value === "nearest" || value === "bilinear") filter = value;
      else throw badOption(name, "nearest and bilinear are known");
    }
    if (!width && !height) throw badOption("width", "give a width, a height or both");
    if (input.tag !== "binary") throw badInput("no binary PNM (P6)");
    const bytes = input.val;
    const [fromWidth, fromHeight, at] = readHeader(bytes);
    const clamp = (side) => Math.min(Math.max(side, 1), MOST_PIXELS);
    width ||= clamp(Math.floor((fromWidth * height + Math.floor(fromHeight / 2)) / fromHeight));
    height ||= clamp(Math.floor((fromHeight * width + Math.floor(fromWidth / 2)) / fromWidth));

    const nearest = filter === "nearest";
    const source = Float32Array.from(bytes.subarray(at, at + fromWidth * fromHeight * 3));
    const narrow = new Float32Array(fromWidth * height * 3);
    const done = new Float32Array(width * height * 3);
    resample(source, fromHeight, fromWidth * 3, 3, narrow, height, fromWidth * 3, 3, fromWidth, nearest);
    resample(narrow, fromWidth, 3, fromWidth * 3, done, width, 3, width * 3, height, nearest);

    const header = `P6\n${width} ${height}\n255\n`;
    const output = new Uint8Array(header.length + done.length);
    for (let i = 0; i < header.length; i++) output[i] = header.charCodeAt(i);
    for (let i = 0; i < done.length; i++) {
      output[header.length + i] = Math.min(Math.max(done[i], 0), 255) + 0.5;
    }
    return { tag: "binary", val: output };
  },
};
