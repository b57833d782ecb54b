// Reads {code, name, label, firstLine} from standard input and says, as JSON, whether the code is
// JavaScript (`wrong`: V8's own message when it is not) and declares the name. Nothing of it is run.
"use strict";
const vm = require("node:vm");
const { code, name, label, firstLine } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));

// As a twin is later: in a function's body.
function compile(text) {
  vm.compileFunction(text, [], { filename: label, lineOffset: firstLine - 1 });
}

function refused(text) {
  try {
    compile(text);
    return false;
  } catch {
    return true;
  }
}

const answer = { wrong: "", declared: false };
try {
  compile(code);
  // ECMA-262, 15.2.1: a function's body may not declare with let what it declares in another way.
  answer.declared = refused(`${code}\n;let ${name};`);
} catch (error) {
  answer.wrong = String(error.stack).split("\n    at ")[0];
}
process.stdout.write(JSON.stringify(answer));
