import { codeFrame, placeLabel } from "../wire/code-frame.js";
import type { Problem } from "../wire/compiled.js";
import type { CellError } from "../wire/messages.js";
import { executionOf } from "../wire/names.js";

const RED = "\u001b[31m";
const DIM = "\u001b[2m";
const PLAIN = "\u001b[0m";

/** What is known of executions: `In [3]`, and the code. */
export interface CellBook {
  label(execution: number): string | undefined;
  code(execution: number): string | undefined;
}

type Place = NonNullable<Problem["place"]>;

/** What the compiler has against a cell, each problem with its place and the lines around it. */
export function diagnostics(
  problems: readonly Problem[],
  execution: number,
  book: CellBook,
  cwd: string,
): CellError {
  const label = (place: Place): string => placeLabel(place, (cell) => book.label(cell), cwd);
  const shown = (place: Place, text: string | undefined): string[] => {
    const code = text ?? book.code(executionOf(place.source) ?? 0);
    return code === undefined ? [] : codeFrame(code, place);
  };
  const told = problems.map((one) => ({ ...one, message: withCells(one.message, book) }));
  return {
    ename: "TypeScriptError",
    evalue: told
      .map(({ message, place }) => {
        if (!place) return message;
        // A cell's own places need no name.
        const own = executionOf(place.source) === execution;
        return `${own ? `${place.line}:${place.column}` : label(place)} - ${message}`;
      })
      .join("; "),
    traceback: told.flatMap(({ code, message, place, text }, index) => [
      ...(index > 0 ? [""] : []),
      `${place ? `${label(place)} - ` : ""}${RED}error${PLAIN} ${DIM}TS${code}:${PLAIN} ${message}`,
      ...(place ? shown(place, text) : []),
    ]),
  };
}

/** TypeScript tells types of one name apart by their files: here by their cells. */
function withCells(message: string, book: CellBook): string {
  return message.replace(
    /import\("[^"]*ts-jupyter-kernel-cell-(\d+)"\)/g,
    (_import, execution: string) => book.label(Number(execution)) ?? "In [ ]",
  );
}
