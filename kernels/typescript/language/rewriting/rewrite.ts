import MagicString from "magic-string";
import { RUNTIME, type CompiledCell, type MappedCode } from "../../wire/index.js";
import { makeInterruptible, type ModuleSyntax } from "./interruptible.js";
import { useSlots } from "./slots.js";
import { type AnyNode, parseJavaScript } from "./syntax.js";

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
  const program = parseJavaScript(code).program as unknown as AnyNode;
  const { dynamic } = makeInterruptible(text, program, IN_CELL);
  const { imports, declares, vars } = useSlots(text, program, names, earlier);
  return { script: mapped(text, map, file), imports, declares, vars, dynamic };
}

/** Makes a local module's CommonJS interruptible; `awaits` says that it awaits at its top level. */
export function rewriteModule(
  { code, map }: Transpiled,
  file: string,
): { script: MappedCode; awaits: boolean; dynamic: string[] } {
  const text = new MagicString(code);
  const { awaits, dynamic } = makeInterruptible(
    text,
    parseJavaScript(code).program as unknown as AnyNode,
    IN_MODULE,
  );
  return { script: mapped(text, map, file), awaits, dynamic };
}

function mapped(text: MagicString, map: string, file: string): MappedCode {
  return {
    code: text.toString(),
    maps: [text.generateMap({ source: file, hires: "boundary" }).toString(), map],
  };
}
