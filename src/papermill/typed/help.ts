import type { DeclaredParameter } from "../translators/translator.js";
import { ANY, typeText, valueText } from "./types.js";

/** Where papermill begins what is said about a parameter, and the longest definition that leaves room for it. */
const COLUMN = 34;
const LONGEST = 30;

/**
 * One parameter as `papermill --help-notebook` shows it: name, type and default, its help from column 34 on, on a line
 * of its own where the definition is long. Below stand the values to choose from, unless the type lists them already.
 *
 * @example parameterHelp({ name: "seed", type: "number", defaultSource: "7", help: "of everything random" })
 * // ["  seed: number (default 7)         of everything random"]
 */
export function parameterHelp(parameter: DeclaredParameter): string[] {
  const { name, type, structure = ANY, choices, defaultSource, help = "" } = parameter;
  const inferred = structure.kind === "any" ? "Unknown type" : typeText(structure);
  const shown = flat(type ?? inferred);
  const byDefault = defaultSource === undefined ? "" : ` (default ${flat(defaultSource)})`;
  const definition = `  ${name}: ${shown}${byDefault}`;
  const spelt = choices?.map(valueText) ?? [];
  const choose = spelt.some((value) => !shown.includes(value)) ? [`one of ${spelt.join(", ")}`] : [];
  const about = [...help.split(/\r?\n/).filter((line) => line.trim() !== ""), ...choose];
  const [first = ""] = about;
  const indented = (line: string): string => `${" ".repeat(COLUMN)}${line}`;
  if (definition.length > LONGEST) return [definition, ...about.map(indented)];
  // The column is filled also where nothing stands in it, as in papermill.
  return [`${definition.padEnd(COLUMN)}${first}`, ...about.slice(1).map(indented)];
}

/** In one line, as far as line breaks stand between tokens; there are none within other literals than templates. */
function flat(source: string): string {
  return source.replace(/\s*\n\s*/g, " ");
}
