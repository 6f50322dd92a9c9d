import type TS from "typescript";
import { ts } from "./typescript.js";

/** A source file with the parser's complaints, which TypeScript keeps to itself. */
export interface ParsedCell extends TS.SourceFile {
  parseDiagnostics: readonly TS.DiagnosticWithLocation[];
}

/** Reads a cell's code alone, as the module that it is. */
export function parseCell(code: string, jsx = false): ParsedCell {
  const options: TS.CreateSourceFileOptions = {
    languageVersion: ts.ScriptTarget.Latest,
    setExternalModuleIndicator: (file) => {
      Reflect.set(file, "externalModuleIndicator", true);
    },
  };
  return ts.createSourceFile(jsx ? "cell.tsx" : "cell.ts", code, options, true) as ParsedCell;
}
