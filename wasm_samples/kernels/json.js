// json.rs in JavaScript: the same parser, by character codes. JSON.parse and JSON.stringify are native
// code in V8 and another comparison: the functions that end in _builtin use them.
"use strict";

const DEEPEST = 128;

// The text that is being read, and how far it has been.
let text = "";
let at = 0;

function wrong(expected) {
  return new SyntaxError(`at character ${at}: expected ${expected}`);
}

function skipSpace() {
  for (;;) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    at++;
  }
}

function word(wanted, value) {
  if (!text.startsWith(wanted, at)) throw wrong("a value");
  at += wanted.length;
  return value;
}

function readValue(depth) {
  if (depth > DEEPEST) throw wrong("less nesting");
  skipSpace();
  const code = text.charCodeAt(at);
  switch (code) {
    case 0x7b: return readObject(depth);
    case 0x5b: return readList(depth);
    case 0x22: return readString();
    case 0x74: return word("true", true);
    case 0x66: return word("false", false);
    case 0x6e: return word("null", null);
  }
  if (code === 0x2d || isDigit(code)) return readNumber();
  throw wrong("a value");
}

function readList(depth) {
  at++;
  const items = [];
  skipSpace();
  if (text.charCodeAt(at) === 0x5d) {
    at++;
    return items;
  }
  for (;;) {
    items.push(readValue(depth + 1));
    skipSpace();
    const code = text.charCodeAt(at);
    if (code === 0x5d) {
      at++;
      return items;
    }
    if (code !== 0x2c) throw wrong("a comma or ]");
    at++;
  }
}

function readObject(depth) {
  at++;
  const fields = {};
  skipSpace();
  if (text.charCodeAt(at) === 0x7d) {
    at++;
    return fields;
  }
  for (;;) {
    skipSpace();
    if (text.charCodeAt(at) !== 0x22) throw wrong("a name");
    const name = readString();
    skipSpace();
    if (text.charCodeAt(at) !== 0x3a) throw wrong("a colon");
    at++;
    const value = readValue(depth + 1);
    // Assigning to this one name would set the object's prototype.
    if (name !== "__proto__") fields[name] = value;
    skipSpace();
    const code = text.charCodeAt(at);
    if (code === 0x7d) {
      at++;
      return fields;
    }
    if (code !== 0x2c) throw wrong("a comma or }");
    at++;
  }
}

function readString() {
  at++;
  let start = at;
  let read = "";
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      const rest = text.slice(start, at++);
      return read === "" ? rest : read + rest;
    }
    if (code === 0x5c) {
      read += text.slice(start, at++);
      read += readEscape();
      start = at;
    } else if (code >= 0x20) at++;
    else throw wrong("the end of a string"); // a control character, or NaN where the text ends
  }
}

function readEscape() {
  const letter = text.charAt(at++);
  switch (letter) {
    case '"': case "\\": case "/": return letter;
    case "b": return "\b";
    case "f": return "\f";
    case "n": return "\n";
    case "r": return "\r";
    case "t": return "\t";
    case "u": break;
    default: throw wrong("an escape");
  }
  const code = fourDigits();
  if (code >= 0xd800 && code < 0xdc00 && text.startsWith("\\u", at)) {
    at += 2;
    const low = fourDigits();
    if (low < 0xdc00 || low >= 0xe000) throw wrong("the second half of a pair");
    return String.fromCharCode(code, low);
  }
  if (code >= 0xd800 && code < 0xe000) throw wrong("both halves of a pair");
  return String.fromCharCode(code);
}

function fourDigits() {
  let number = 0;
  for (let digit = 0; digit < 4; digit++) {
    const code = text.charCodeAt(at);
    const small = code | 0x20;
    if (isDigit(code)) number = number * 16 + code - 0x30;
    else if (small >= 0x61 && small <= 0x66) number = number * 16 + small - 0x57;
    else throw wrong("four hexadecimal digits");
    at++;
  }
  return number;
}

function isDigit(code) {
  return code >= 0x30 && code <= 0x39;
}

function skipDigits() {
  if (!isDigit(text.charCodeAt(at))) throw wrong("a digit");
  do at++;
  while (isDigit(text.charCodeAt(at)));
}

function readNumber() {
  const start = at;
  if (text.charCodeAt(at) === 0x2d) at++;
  if (text.charCodeAt(at) === 0x30) at++;
  else skipDigits();
  if (text.charCodeAt(at) === 0x2e) {
    at++;
    skipDigits();
  }
  if ((text.charCodeAt(at) | 0x20) === 0x65) {
    at++;
    const sign = text.charCodeAt(at);
    if (sign === 0x2b || sign === 0x2d) at++;
    skipDigits();
  }
  return Number(text.slice(start, at));
}

function parse(json) {
  text = json;
  at = 0;
  const value = readValue(0);
  skipSpace();
  if (at < text.length) throw wrong("the end");
  return value;
}

const ESCAPES = { '"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function written(string) {
  let json = '"';
  let start = 0;
  for (let place = 0; place < string.length; place++) {
    const code = string.charCodeAt(place);
    if (code >= 0x20 && code !== 0x22 && code !== 0x5c) continue;
    json += string.slice(start, place);
    json += ESCAPES[string[place]] || `\\u${code.toString(16).padStart(4, "0")}`;
    start = place + 1;
  }
  return `${json}${string.slice(start)}"`;
}

// A whole number that is exact as a Number.
function amount(value) {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError("an amount is no whole number of at most 2^53 - 1");
}

function checked(sum) {
  if (sum <= Number.MAX_SAFE_INTEGER) return sum;
  throw new RangeError("a total is above 2^53 - 1");
}

function centsOf(order) {
  const { items } = order;
  if (!Array.isArray(items)) throw new TypeError("an order has no items");
  let sum = 0;
  for (const item of items) {
    if (item === null || item.cents === undefined) throw new TypeError("an item has no cents");
    const cents = amount(item.cents);
    const quantity = item.quantity === undefined ? 1 : amount(item.quantity);
    sum = checked(sum + checked(cents * quantity));
  }
  return sum;
}

// The customers with their number of orders and sum in cents, by name.
function totalled(orders) {
  if (!Array.isArray(orders)) throw new TypeError("the orders are no list");
  const totals = new Map();
  for (const order of orders) {
    if (order === null || typeof order.customer !== "string") throw new TypeError("an order has no customer");
    const cents = centsOf(order);
    const total = totals.get(order.customer);
    if (total === undefined) totals.set(order.customer, { orders: 1, cents });
    else {
      total.orders++;
      total.cents = checked(total.cents + cents);
    }
  }
  return [...totals].sort(([one], [other]) => compared(one, other));
}

// By code point, as UTF-8 is ordered. `<` goes by halves of UTF-16, where those of a pair (D800 to
// DFFF) are below the characters from E000 to FFFF, which as code points they are above.
function compared(one, other) {
  const length = Math.min(one.length, other.length);
  for (let place = 0; place < length; place++) {
    let a = one.charCodeAt(place);
    let b = other.charCodeAt(place);
    if (a !== b) {
      if (a >= 0xd800 && b >= 0xd800) {
        a += a >= 0xe000 ? -0x800 : 0x2000;
        b += b >= 0xe000 ? -0x800 : 0x2000;
      }
      return a - b;
    }
  }
  return one.length - other.length;
}

// Each customer's number of orders and sum in cents, as JSON, by the customer's name.
function totals_by_customer(orders) {
  let json = "[";
  for (const [customer, total] of totalled(parse(orders))) {
    if (json !== "[") json += ",";
    json += `{"customer":${written(customer)},"orders":${total.orders},"cents":${total.cents}}`;
  }
  return `${json}]`;
}

// The same by JSON.parse and JSON.stringify, which also accept half a surrogate pair.
function totals_by_customer_builtin(orders) {
  return JSON.stringify(totalled(JSON.parse(orders)).map(([customer, total]) => ({ customer, ...total })));
}

// So many orders of 50 customers, drawn by Marsaglia's xorshift generator from 2463534242 on.
function ordersOfNoise(count) {
  let state = 2463534242 | 0;
  const below = (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
  let json = "[";
  for (let number = 0; number < count; number++) {
    json += `${number > 0 ? "," : ""}\n  {"customer": "Customer ${below(50)}", "items": [`;
    const items = 1 + below(4);
    for (let item = 0; item < items; item++) {
      json += `${item > 0 ? ", " : ""}{"cents": ${below(10000)}, "quantity": ${1 + below(9)}}`;
    }
    json += '], "note": "a \\"short\\" caf\\u00e9", "weight": 1.5e-1, "gift": false}';
  }
  return `${json}\n]`;
}

function fnv(json) {
  let hash = 0x811c9dc5 | 0;
  for (let place = 0; place < json.length; place++) {
    hash = Math.imul(hash ^ json.charCodeAt(place), 0x01000193); // all of it is ASCII
  }
  return hash >>> 0;
}

// The FNV-1a hash (32 bits) of the totals of so many random orders.
function totals_of_noise(count) {
  return fnv(totals_by_customer(ordersOfNoise(count)));
}

// The same by JSON.parse and JSON.stringify.
function totals_of_noise_builtin(count) {
  return fnv(totals_by_customer_builtin(ordersOfNoise(count)));
}
