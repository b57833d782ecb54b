// A module-federation container written by hand, so that no Node is needed to build it.
// JupyterLab and Notebook 7 load it at their start and ask for "./extension", the list of plugins.
//
// The plugin highlights cells that begin with one of our magics in the language of the cell. It adds one
// CodeMirror extension to the editors of code cells. The magic line, the header of a Rust cell and the code
// below are parts of one syntax tree, where the tree of the language is a branch: so indentation, brackets
// and comments follow too. The cell's model is not touched, so nothing of this is saved.
//
// The live charts take plotly.min.js from the folder of this file; see lab/wasm_lab/views/live.js.
"use strict";
(() => {
  // ---- Which language a cell has -----------------------------------------------------------------

  // Kinds of text. language: the name in JupyterLab's registry; without one it is among SMALL, below, or
  // plain text. comment: for a line where there is no code yet. unit: indentation where the language
  // prescribes one.
  const SLASHES = { line: "//", block: { open: "/*", close: "*/" } };
  const HASH = { line: "#" };
  const KINDS = {
    // No pair for ' in Rust: it begins a lifetime.
    rust: { language: "Rust", comment: SLASHES, brackets: ["(", "[", "{", '"'] },
    c: { language: "C", comment: SLASHES },
    cpp: { language: "C++", comment: SLASHES },
    go: { language: "Go", comment: SLASHES, unit: "\t" },
    zig: { comment: { line: "//" } },
    python: { language: "Python", comment: HASH },
    js: { language: "Javascript", comment: SLASHES },
    toml: { language: "TOML", comment: HASH },
    yaml: { language: "YAML", comment: HASH },
    wit: { comment: SLASHES, unit: "  " },
    choice: { comment: HASH },
    text: {},
  };

  // tests/packaging/test_highlighting.py compares these with the magics and languages of the package.
  const MAGICS = {
    wasm_rust: () => "rust",
    wasm: (line) => {
      const language = line.trim().split(/\s/)[0];
      return ["rust", "c", "cpp", "zig", "go", "python", "js"].includes(language) ? language : null;
    },
    js_twin: () => "js",
    worker: () => "js",
    edge: () => "js", // chapter 13's own form of %%worker
    wit: () => "wit",
    spin_app: () => "toml",
    answer: (line, body) => {
      if (/(^|\s)--toml(\s|$)/.test(line)) return "toml";
      if (/(^|\s)--yaml(\s|$)/.test(line)) return "yaml";
      if (/(^|\s)--choice(\s|=|$)/.test(line)) return "choice";
      const first = body.split("\n").find((each) => !/^\s*(#|\/\/|$)/.test(each)) ?? "";
      if (/^\s*\[{1,2}[\w."' -]+\]{1,2}\s*(#.*)?$|^\s*[\w."-]+\s*=\s*\S/.test(first)) return "toml";
      if (/^(---|apiVersion:|kind:|metadata:|spec:)(\s|$)/.test(first)) return "yaml";
      if (/^\s*(package\s+[\w-]+:[\w-]|(interface|world)\s+%?[\w-]+\s*\{)/.test(first)) return "wit";
      return "text";
    },
  };

  // Only the beginning of a cell is looked at: a long cell costs no more than a short one.
  const LOOKED_AT = 20000;

  // What stands before the code: null where the cell is not ours. As IPython reads it: blank lines and
  // spaces may stand before a magic, comments may not, and a magic below another one is not ours to show.
  function headOf(text) {
    const found = /^(?:[ \t]*\n)*([ \t]*%%(\w+))(?=[ \t]|\n|$)([^\n]*)(\n|$)/.exec(text);
    if (!found || !Object.hasOwn(MAGICS, found[2])) return null;
    const body = found[0].length;
    const kind = MAGICS[found[2]](found[3], text.slice(body));
    if (!kind) return null;
    const name = body - found[4].length - found[3].length - found[1].length;
    const head = { kind, name, nameEnd: name + found[1].length, body, lineEnd: body - found[4].length };
    // The same rule as lab/wasm_lab/cells/header.py: three dashes or more, closed by as many.
    const fence = kind === "rust" && /^(?:#![^\n[][^\n]*\n)?(?:[ \t]*\n)*(-{3,})[^\n]*\n/.exec(text.slice(body));
    if (fence) {
      const manifest = body + fence[0].length;
      const close = new RegExp(`^${fence[1]}[ \\t]*$`, "m").exec(text.slice(manifest));
      if (close) {
        head.fence = body + fence[0].lastIndexOf("\n", fence[0].length - 2) + 1;
        head.manifest = manifest;
        head.manifestEnd = manifest + close.index;
        head.body = Math.min(text.length, manifest + close.index + close[0].length + 1);
      }
    }
    return head;
  }

  // Cells of a notebook whose language is Python. Before there is a kernel, the notebook says which.
  function isPython(model) {
    if (model.type !== "code") return false;
    if (/^text\/x-i?python$/.test(model.mimeType)) return true;
    if (model.mimeType !== "text/plain") return false;
    const spec = model.sharedModel?.notebook?.metadata?.kernelspec;
    return spec?.language === "python" || spec?.name === "python3";
  }

  // ---- Languages that JupyterLab has no parser for ------------------------------------------------

  // WIT by the grammar of https://component-model.bytecodealliance.org/design/wit.html, Zig by
  // https://ziglang.org/documentation/0.15.2/#Grammar; only what one needs to read them with ease.
  const SMALL = {
    choice: { line: "#", other: true }, // no more than comments
    wit: {
      line: "//",
      word: /^%?[a-zA-Z][\w-]*/,
      keyword:
        "as async constructor enum export flags from func import include interface package record resource " +
        "static type use variant with world",
      typeName:
        "bool borrow char error-context f32 f64 future list option own result s16 s32 s64 s8 stream string " +
        "tuple u16 u32 u64 u8",
      atom: "_",
      meta: /^@[a-z][\w-]*(?=\()/,
      number: /^@?\d+(\.\d+)*(-[\w.-]+)?/,
      blocks: true,
    },
    zig: {
      line: "//",
      word: /^[a-zA-Z_]\w*/,
      keyword:
        "addrspace align allowzero and anyframe anytype asm break callconv catch comptime const continue defer " +
        "else enum errdefer error export extern fn for if inline linksection noalias noinline nosuspend opaque " +
        "or orelse packed pub resume return struct suspend switch test threadlocal try union unreachable var " +
        "volatile while",
      typeName:
        "anyerror anyopaque bool c_char c_int c_long c_longlong c_short c_uint c_ulong comptime_float " +
        "comptime_int f128 f16 f32 f64 f80 isize noreturn type usize void",
      typePattern: /^([iu]\d+|[A-Z]\w*)$/,
      atom: "false null true undefined",
      meta: /^@[a-zA-Z_]\w*/,
      number: /^(0x[\da-fA-F_.]+(p[+-]?\d+)?|0[ob][\d_]+|\d[\d_]*(\.\d[\d_]*)?(e[+-]?\d+)?)/,
      string: /^(\\\\.*|"(\\.|[^"\\])*("|$)|'(\\.|[^'\\])*('|$))/,
    },
  };

  // A StreamParser of CodeMirror.
  function smallParser(name) {
    const spec = SMALL[name];
    const words = new Map();
    for (const tag of ["keyword", "typeName", "atom"]) spec[tag]?.split(" ").forEach((word) => words.set(word, tag));
    const inComment = (stream, state) => {
      while (state.comment && !stream.eol()) {
        if (stream.match("*/")) state.comment -= 1;
        else if (stream.match("/*")) state.comment += 1; // they nest in WIT
        else stream.next();
      }
      return "comment";
    };
    return {
      name,
      startState: () => ({ depth: 0, comment: 0 }),
      token(stream, state) {
        if (state.comment) return inComment(stream, state);
        if (stream.eatSpace()) return null;
        const comment = stream.match(spec.line);
        if (comment || spec.other) {
          stream.skipToEnd();
          return comment ? "comment" : null;
        }
        if (spec.blocks && stream.match("/*")) {
          state.comment = 1;
          return inComment(stream, state);
        }
        if (spec.string && stream.match(spec.string)) return "string";
        if (stream.match(spec.meta)) return "meta";
        if (stream.match(spec.number)) return "number";
        const word = stream.match(spec.word);
        if (word) {
          if (words.has(word[0])) return words.get(word[0]);
          return spec.typePattern?.test(word[0]) ? "typeName" : "variableName";
        }
        const next = stream.next();
        if ("([{".includes(next)) state.depth += 1;
        if (")]}".includes(next)) state.depth = Math.max(0, state.depth - 1);
        return "([{}])".includes(next) ? "bracket" : "punctuation";
      },
      indent: (state, after, context) =>
        Math.max(0, state.depth - (/^\s*[)\]}]/.test(after) ? 1 : 0)) * context.unit,
      languageData: { commentTokens: KINDS[name].comment, indentOnInput: /^\s*[)\]}]$/ },
    };
  }

  // ---- The CodeMirror extension ------------------------------------------------------------------

  const STYLE = `
    .wasm-lab-magic { --wasm-lab-ink: #5e35b1; background: #5e35b114; box-shadow: inset 3px 0 #5e35b199; }
    .wasm-lab-header { box-shadow: inset 3px 0 #5e35b14d; }
    .wasm-lab-fence { color: #5e35b1; }
    [data-jp-theme-light="false"] .wasm-lab-magic {
      --wasm-lab-ink: #cbb5ff; background: #cbb5ff1c; box-shadow: inset 3px 0 #cbb5ff99; }
    [data-jp-theme-light="false"] .wasm-lab-header { box-shadow: inset 3px 0 #cbb5ff4d; }
    [data-jp-theme-light="false"] .wasm-lab-fence { color: #cbb5ff; }
    .wasm-lab-magic .wasm-lab-magic-name { color: var(--wasm-lab-ink); font-weight: bold; }
    .wasm-lab-magic .wasm-lab-magic-option { color: var(--wasm-lab-ink); }`;

  // Takes the modules of CodeMirror that JupyterLab shares, and its registry of languages; gives a function
  // from a cell's model to the extension of its editor.
  function highlighting({ language: L, state: S, view: V, lezer: Z, highlight: { tags } }, registry) {
    const data = L.defineLanguageFacet({ commentTokens: HASH });
    // A tree that a StreamLanguage made is not found at its end, where one types.
    const indent = (context) => {
      const code = context.node.lastChild;
      const strategy = code && context.pos >= code.from && code.type.prop(L.indentNodeProp);
      return strategy ? strategy(Object.create(context, { node: { value: code } })) : 0;
    };
    const type = (id, name, rest = {}) => Z.NodeType.define({ id, name, ...rest });
    const NODES = {
      cell: type(1, "WasmLabCell", { top: true, props: [[L.languageDataProp, data], [L.indentNodeProp, indent]] }),
      magic: type(2, "Magic"),
      fence: type(3, "Fence"),
    };
    // Jupyter's own style, made for Python, gives neither types nor macros a colour.
    const more = L.syntaxHighlighting(
      L.HighlightStyle.define([
        { tag: tags.typeName, color: "var(--jp-mirror-editor-variable-3-color)" },
        { tag: tags.macroName, color: "var(--jp-mirror-editor-builtin-color)" },
      ]),
    );
    const languages = new Map(); // one for each kind, for all cells of the page
    const parsers = new Map(); // by the same names, once they are loaded

    async function load(kind) {
      if (kind in SMALL) parsers.set(kind, L.StreamLanguage.define(smallParser(kind)).parser);
      const found = KINDS[kind].language && (await registry.getLanguage(KINDS[kind].language));
      if (found?.support) parsers.set(kind, found.support.language.parser);
    }

    // The text is parsed again when the promise is kept.
    const parserOf = (kind) =>
      parsers.get(kind) ?? (kind === "text" ? null : L.ParseContext.getSkippingParser(languageOf(kind).ready));

    // What earlier trees of the cell know of the code, for the parser of its language: only what was edited
    // is read again. Not by parseMixed of Lezer, which forgets what lies behind an interrupted parse.
    const innerFragments = (fragments) =>
      fragments.flatMap((each) => {
        const last = each.tree.children.length - 1;
        const code = each.tree.children[last];
        if (!code?.type.isTop) return [];
        const start = each.tree.positions[last] - each.offset;
        const from = Math.max(each.from, start);
        const to = Math.min(each.to, start + code.length);
        if (from >= to) return [];
        const open = [each.openStart || from > each.from, each.openEnd || to < each.to];
        return [new Z.TreeFragment(from, to, code, -start, ...open)];
      });

    // A parse of a cell: the tree of its code hangs below the tree of its parts.
    class CellParse {
      constructor(kind, input, fragments) {
        this.length = input.length;
        this.stoppedAt = null;
        this.children = [];
        this.positions = [];
        const head = headOf(input.read(0, Math.min(input.length, LOOKED_AT)));
        if (!head) return; // on its way to another language
        const leaf = (node, from, to) => this.add(new Z.Tree(node, [], [], to - from), from);
        leaf(NODES.magic, head.name, head.lineEnd);
        if (head.manifest) {
          leaf(NODES.fence, head.fence, head.manifest);
          this.addManifest(input, head.manifest, head.manifestEnd);
          leaf(NODES.fence, head.manifestEnd, head.body);
        }
        this.body = head.body;
        if (head.body === input.length) return;
        const ranges = [{ from: head.body, to: input.length }];
        this.code = parserOf(kind)?.startParse(input, innerFragments(fragments), ranges);
      }
      add(tree, position) {
        this.children.push(tree);
        this.positions.push(position);
      }
      addManifest(input, from, to) {
        if (from === to) return;
        const parse = parserOf("toml").startParse(input, [], [{ from, to }]);
        let tree = null;
        while (!tree) tree = parse.advance(); // it is short
        this.add(tree, from);
      }
      get parsedPos() {
        return this.code ? this.code.parsedPos : this.length;
      }
      stopAt(position) {
        this.stoppedAt = position;
        if (!this.code) return;
        if (position > this.body) this.code.stopAt(position);
        else this.code = null;
      }
      advance() {
        if (this.code) {
          const tree = this.code.advance();
          if (!tree) return null;
          this.add(tree, this.body);
        }
        const end = this.children.length ? this.positions.at(-1) + this.children.at(-1).length : 0;
        return new Z.Tree(NODES.cell, this.children, this.positions, Math.max(end, this.stoppedAt ?? this.length));
      }
    }

    function languageOf(kind) {
      if (languages.has(kind)) return languages.get(kind);
      const made = {};
      languages.set(kind, made);
      made.ready = load(kind).catch((error) => console.error(`wasm-lab: no highlighting of ${kind}:`, error));
      class CellParser extends Z.Parser {
        createParse(input, fragments) {
          return new CellParse(kind, input, fragments);
        }
      }
      const { comment, brackets, unit } = KINDS[kind];
      const said = { ...(comment && { commentTokens: comment }), ...(brackets && { closeBrackets: { brackets } }) };
      made.extension = S.Prec.highest([
        // On the magic line a comment is Python's: it turns the whole cell into a comment, and back.
        S.EditorState.languageData.of((state, position) => {
          const head = state.field(field);
          if (!head || position < head.lineEnd) return [{ commentTokens: HASH }];
          return head.manifest && position < head.body ? [{ commentTokens: HASH }] : [said];
        }),
        new L.Language(data, new CellParser(), [], `wasm-lab-${kind}`).extension,
        more,
        unit ? L.indentUnit.of(unit) : [],
      ]);
      return made;
    }

    const line = (name) => V.Decoration.line({ class: name });
    const mark = (name) => V.Decoration.mark({ class: name });
    const LOOK = {
      magic: line("wasm-lab-magic"),
      name: mark("wasm-lab-magic-name"),
      option: mark("wasm-lab-magic-option"),
      header: line("wasm-lab-header"),
      fence: mark("wasm-lab-fence"),
    };

    function decorations(doc, head) {
      const start = doc.lineAt(head.name).from;
      const ranges = [LOOK.magic.range(start), LOOK.name.range(head.name, head.nameEnd)];
      const rest = doc.sliceString(head.nameEnd, head.lineEnd);
      for (const each of rest.matchAll(/(?<=\s)--?[a-zA-Z][\w-]*/g)) {
        const from = head.nameEnd + each.index;
        ranges.push(LOOK.option.range(from, from + each[0].length));
      }
      if (head.manifest) {
        for (let at = head.fence; at < head.body && at <= doc.length; at = doc.lineAt(at).to + 1) {
          const { from, to } = doc.lineAt(at);
          ranges.push(LOOK.header.range(from));
          if (to > from && (from === head.fence || from === head.manifestEnd)) ranges.push(LOOK.fence.range(from, to));
        }
      }
      return V.Decoration.set(ranges, true);
    }

    const again = S.StateEffect.define(); // the cell's language may be another one now
    const asked = (model, text) => (isPython(model) ? headOf(text) : null);
    const drawn = (model, doc) => {
      const head = asked(model, doc.sliceString(0, LOOKED_AT));
      return head && { ...head, decorations: decorations(doc, head) };
    };
    const models = S.Facet.define({ combine: (all) => all[0] });
    const stale = (tr) =>
      tr.effects.some((each) => each.is(again)) || (tr.docChanged && Boolean(tr.changes.touchesRange(0, LOOKED_AT)));

    const field = S.StateField.define({
      create: (state) => drawn(state.facet(models), state.doc),
      update: (head, tr) => (stale(tr) ? drawn(tr.startState.facet(models), tr.newDoc) : head),
      provide: (self) => V.EditorView.decorations.from(self, (head) => head?.decorations ?? V.Decoration.none),
    });

    return (model) => {
      const compartment = new S.Compartment();
      const extensionOf = (head) => (head ? languageOf(head.kind).extension : []);
      const source = model.sharedModel.getSource().slice(0, LOOKED_AT);
      return [
        models.of(model),
        compartment.of(extensionOf(asked(model, source))),
        field,
        S.EditorState.transactionExtender.of((tr) => {
          if (!stale(tr)) return null;
          const before = tr.startState.field(field)?.kind;
          const head = asked(model, tr.newDoc.sliceString(0, LOOKED_AT));
          return before === head?.kind ? null : { effects: compartment.reconfigure(extensionOf(head)) };
        }),
        V.ViewPlugin.define((view) => {
          const changed = () => view.dispatch({ effects: again.of(null) });
          model.mimeTypeChanged.connect(changed);
          return { destroy: () => model.mimeTypeChanged.disconnect(changed) };
        }),
      ];
    };
  }

  // ---- The plugin, and the container around it ---------------------------------------------------

  // The modules that the page shares, by name, then version. The same choice as webpack's for a singleton.
  async function shared(scope, name) {
    const versions = scope?.[name] ?? {};
    const numbers = (version) => version.split(/[.+-]/).map((each) => Number.parseInt(each, 10) || 0);
    const older = (a, b) => {
      const [left, right] = [numbers(a), numbers(b)];
      const at = left.findIndex((each, index) => each !== (right[index] ?? 0));
      return at >= 0 && left[at] < (right[at] ?? 0);
    };
    const best = Object.keys(versions).reduce(
      (kept, each) => (kept === null || (!versions[kept].loaded && older(kept, each)) ? each : kept),
      null,
    );
    if (best === null) throw new Error(`this JupyterLab does not share ${name}`);
    return (await versions[best].get())();
  }

  async function makePlugin(scope) {
    const [jupyter, language, state, view, lezer, highlight] = await Promise.all(
      [
        "@jupyterlab/codemirror",
        "@codemirror/language",
        "@codemirror/state",
        "@codemirror/view",
        "@lezer/common",
        "@lezer/highlight",
      ].map((each) => shared(scope, each)),
    );
    return {
      id: "wasm-lab:highlighting",
      description: "Highlights cells that begin with a magic of wasm-lab in the language of the cell.",
      autoStart: true,
      requires: [jupyter.IEditorExtensionRegistry, jupyter.IEditorLanguageRegistry],
      activate: (app, extensions, languages) => {
        const style = document.createElement("style");
        style.textContent = STYLE;
        document.head.append(style);
        const extensionOf = highlighting({ language, state, view, lezer, highlight }, languages);
        extensions.addExtension({
          name: "wasm-lab:highlighting",
          factory: ({ model }) =>
            model.type === "code" && model.sharedModel?.getSource
              ? jupyter.EditorExtensionRegistry.createImmutableExtension(extensionOf(model))
              : null,
        });
      },
    };
  }

  let scope = null;
  const container = {
    init: (given) => {
      scope = given;
    },
    get: async (name) => {
      if (name !== "./extension") throw new Error(`wasm-lab has no module ${name}`);
      let plugins = [];
      try {
        plugins = [await makePlugin(scope)];
      } catch (error) {
        console.warn("wasm-lab: cells of other languages are shown as Python:", error);
      }
      return () => ({ __esModule: true, default: plugins });
    },
  };
  globalThis._JUPYTERLAB = globalThis._JUPYTERLAB || {};
  globalThis._JUPYTERLAB["wasm-lab"] = container;
})();
