import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import MagicString from "magic-string";
import { RUNTIME, type CompiledCell, type MappedCode } from "../../wire/index.js";
import { makeInterruptible, type ModuleSyntax } from "./interruptible.js";
import { useSlots } from "./slots.js";
import { parseJavaScript } from "./syntax.js";

/** JavaScript as TypeScript makes it, with the source map that leads to what was written. */
export interface Transpiled {
  code: string;
  map: string;
}

export interface RewriteCellOptions {
  /** The cell's script name. */
  file: string;
  /** What its top level declares. */
  names: ReadonlySet<string>;
  /** Names that earlier cells have declared. */
  earlier: ReadonlySet<string>;
}

export interface RewrittenCell extends Pick<CompiledCell, "script" | "imports" | "declares" | "vars"> {
  /** Literal specifiers of `import()` and `require()`. */
  dynamic: string[];
}

const IN_CELL: ModuleSyntax = { importCall: `${RUNTIME}.import(`, meta: `${RUNTIME}.meta` };

const IN_MODULE: ModuleSyntax = {
  importCall: `${RUNTIME}.importFrom(__filename, `,
  meta: `${RUNTIME}.metaOf(__filename)`,
};

/** Makes of a cell's JavaScript, a module, the body of an async function over the slots of all cells. */
export function rewriteCell(
  { code, map }: Transpiled,
  { file, names, earlier }: RewriteCellOptions,
): RewrittenCell {
  const text = new MagicString(code);
  const program = parseJavaScript(code);
  const { dynamic } = makeInterruptible(text, program, writtenIn(file, code, map), IN_CELL);
  const { imports, declares, vars } = useSlots(text, program, names, earlier);
  return { script: mapped(text, map, file), imports, declares, vars, dynamic };
}

/** Makes a local module's CommonJS interruptible; `awaits` says that it awaits at its top level. */
export function rewriteModule(
  { code, map }: Transpiled,
  file: string,
): { script: MappedCode; awaits: boolean; dynamic: string[] } {
  const text = new MagicString(code);
  const program = parseJavaScript(code);
  const { awaits, dynamic } = makeInterruptible(text, program, writtenIn(file, code, map), IN_MODULE);
  return { script: mapped(text, map, file), awaits, dynamic };
}

/** Tells of a place of the JavaScript where it was written: `file:line:column`, counted from 1. */
function writtenIn(file: string, code: string, map: string): (at: number) => string {
  let starts: number[] | undefined;
  let trace: TraceMap | undefined;
  return (at) => {
    starts ??= [0, ...Array.from(code.matchAll(/\n/g), ({ index }) => index + 1)];
    trace ??= new TraceMap(map);
    const line = starts.findLastIndex((start) => start <= at);
    const written = originalPositionFor(trace, { line: line + 1, column: at - (starts[line] ?? 0) });
    return `${file}:${written.line ?? 1}:${(written.column ?? 0) + 1}`;
  };
}

function mapped(text: MagicString, map: string, file: string): MappedCode {
  return {
    code: text.toString(),
    maps: [text.generateMap({ source: file, hires: "boundary" }).toString(), map],
  };
}
