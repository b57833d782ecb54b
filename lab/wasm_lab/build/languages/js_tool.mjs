// Run by Node.js: reads JavaScript cells, and makes the component that they are written into.
//   node js_tool.mjs parse NODE_MODULES < text        a JSON line about the text
//   node js_tool.mjs build NODE_MODULES OPTIONS.json  writes the core module that OPTIONS name

import { createRequire, register } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

const [, , command, modules, file] = process.argv;
const require = createRequire(join(modules, 'x.js'));

/** What of a statement is done only on a condition, or may fail without harm. */
const UNSURE = {
  ConditionalExpression: ['consequent', 'alternate'],
  IfStatement: ['consequent', 'alternate'],
  LogicalExpression: ['right'],
  TryStatement: ['block'],
};

if (command === 'parse') {
  const { parseSync } = require('oxc-parser');
  process.stdout.write(JSON.stringify(read(readFileSync(0, 'utf8'), parseSync)));
} else {
  await build(JSON.parse(readFileSync(file, 'utf8')));
}

/** What a module exports and imports, and its text without the words `import` and `export`, place for place. */
function read(text, parseSync) {
  const parsed = parseSync('cell.js', text, { sourceType: 'module' });
  const errors = parsed.errors.map((error) => ({
    message: error.message,
    start: error.labels[0]?.start ?? 0,
    end: error.labels[0]?.end ?? 1,
  }));
  if (errors.length) return { errors };
  let code = text;
  const exports = [];
  const imports = [];
  const shapes = {};
  const blank = (start, end) => {
    code = code.slice(0, start) + code.slice(start, end).replace(/[^\n\r]/g, ' ') + code.slice(end);
  };
  const shape = (name, node) => {
    if (node?.type === 'ObjectExpression' && node.properties.every((one) => one.type === 'Property' && !one.computed)) {
      shapes[name] = node.properties.map((one) => one.key.name ?? one.key.value);
    }
    if (/^Class/.test(node?.type) && !node.superClass) {
      shapes[name] = node.body.body.filter((one) => one.type === 'MethodDefinition').map((one) => one.key.name);
    }
  };
  for (const node of parsed.program.body) {
    const own = node.type === 'ExportNamedDeclaration' ? node.declaration : node;
    if (own?.type === 'ClassDeclaration') shape(own.id.name, own);
    if (own?.type === 'VariableDeclaration') own.declarations.forEach((one) => shape(one.id.name, one.init));
    if (node.type === 'ImportDeclaration') {
      const names = node.specifiers.map((one) => [
        one.type === 'ImportSpecifier' ? (one.imported.name ?? one.imported.value)
          : one.type === 'ImportDefaultSpecifier' ? 'default' : '*',
        one.local.name,
      ]);
      imports.push({ source: node.source.value, names, start: node.start, end: node.end });
      blank(node.start, node.end);
    } else if (node.type === 'ExportNamedDeclaration' && own) {
      const named = own.declarations ? own.declarations.map((one) => one.id.name) : [own.id.name];
      exports.push(...named.map((name) => [name, name]));
      blank(node.start, own.start);
    } else if (node.type === 'ExportNamedDeclaration' && !node.source) {
      exports.push(...node.specifiers.map((one) => [one.exported.name ?? one.exported.value, one.local.name]));
      blank(node.start, node.end);
    } else if (/^Export/.test(node.type)) {
      errors.push({
        message: 'Export things by their names: export function, export class, export const, export { … }',
        start: node.start,
        end: node.end,
      });
    }
  }
  return { errors, code, exports, imports, shapes, calls: moduleCalls(parsed.program) };
}

/** The modules that a text asks for while it runs: by `require('x')`, if that is not its own, and `import('x')`. */
function moduleCalls(program) {
  const calls = [];
  let own = false;
  const visit = (node, parent, key, sure) => {
    if (Array.isArray(node)) return node.forEach((one) => visit(one, parent, key, sure));
    if (typeof node?.type !== 'string') return;
    if (node.type === 'Identifier' && node.name === 'require') own ||= mayBind(parent, key);
    const late = node.type === 'ImportExpression';
    const asked = late ? node.source
      : node.type === 'CallExpression' && node.callee.name === 'require' ? node.arguments[0] : undefined;
    if (sure && asked?.type === 'Literal' && typeof asked.value === 'string') {
      calls.push({ source: asked.value, late, start: node.start, end: node.end });
    }
    for (const [name, child] of Object.entries(node)) {
      visit(child, node, name, sure && !UNSURE[node.type]?.includes(name));
    }
  };
  visit(program, undefined, '', true);
  return calls.filter((call) => call.late || !own);
}

/** Whether a name at this place may be a new one: of a variable, a function, a parameter or an import. */
function mayBind(parent, key) {
  return ['id', 'params', 'local', 'elements', 'left'].includes(key) || ['Property', 'RestElement'].includes(parent.type);
}

/** Run componentize-js without the packages that it only calls for what wasm-tools does. */
async function build(options) {
  const stand_in = `
    import { readFile } from 'node:fs/promises';
    export const componentNew = async (core) => core;
    export const metadataAdd = async (core) => core;
    export const preview1AdapterReactorPath = () => ${JSON.stringify(file)};
    export default ${JSON.stringify(options.wizer)};`;
  const hooks = `
    const standIn = 'data:text/javascript,' + encodeURIComponent(${JSON.stringify(stand_in)});
    export async function resolve(name, context, next) {
      if (/^@bytecodealliance\\/(jco|wizer|weval)$/.test(name)) return { url: standIn, shortCircuit: true };
      return next(name, context);
    }`;
  register(`data:text/javascript,${encodeURIComponent(hooks)}`);
  const entry = join(modules, '@bytecodealliance/componentize-js/src/componentize.js');
  const { componentize } = await import(pathToFileURL(entry).href);
  const { component } = await componentize({
    sourcePath: options.source,
    witPath: options.wit,
    worldName: options.world,
    disableFeatures: options.disable,
    env: { HOME: process.env.HOME }, // where wizer keeps machine code
  });
  writeFileSync(options.output, component);
}
