import { bashTranslator } from "./bash.js";
import { csharpTranslator } from "./csharp.js";
import { fsharpTranslator } from "./fsharp.js";
import { javascriptTranslator } from "./javascript.js";
import { juliaTranslator } from "./julia.js";
import { matlabTranslator } from "./matlab.js";
import { powershellTranslator } from "./powershell.js";
import { pythonTranslator } from "./python.js";
import { rTranslator } from "./r.js";
import { scalaTranslator } from "./scala.js";
import type { Translator } from "./translator.js";
import { typescriptTranslator } from "./typescript.js";

export { withFloats, type DeclaredParameter, type Translator } from "./translator.js";

/** By kernel name or language, lower case. The names are papermill's, after the two of this project's own languages. */
const translators = new Map<string, Translator>([
  ["typescript", typescriptTranslator],
  ["javascript", javascriptTranslator],
  ["python", pythonTranslator],
  ["r", rTranslator],
  ["scala", scalaTranslator],
  ["julia", juliaTranslator],
  ["matlab", matlabTranslator],
  [".net-csharp", csharpTranslator],
  [".net-fsharp", fsharpTranslator],
  [".net-powershell", powershellTranslator],
  ["pysparkkernel", pythonTranslator],
  ["sparkkernel", scalaTranslator],
  ["sparkrkernel", rTranslator],
  ["bash", bashTranslator],
]);

/** Adds a translator, or replaces one, for a kernel name or a language. */
export function registerTranslator(name: string, translator: Translator): void {
  translators.set(name.toLowerCase(), translator);
}

/** The translator for a kernel, looked up by its name first and by its language then. */
export function findTranslator(kernelName: string, language: string): Translator | undefined {
  return translators.get(kernelName.toLowerCase()) ?? translators.get(language.toLowerCase());
}

/** What there are translators for. */
export function translatorNames(): string[] {
  return [...translators.keys()];
}
