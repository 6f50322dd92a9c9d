import { bashTranslator } from "./bash";
import { csharpTranslator } from "./csharp";
import { fsharpTranslator } from "./fsharp";
import { javascriptTranslator } from "./javascript";
import { juliaTranslator } from "./julia";
import { matlabTranslator } from "./matlab";
import { powershellTranslator } from "./powershell";
import { pythonTranslator } from "./python";
import { rTranslator } from "./r";
import { scalaTranslator } from "./scala";
import type { Translator } from "./translator";
import { typescriptTranslator } from "./typescript";

export { withFloats, type DeclaredParameter, type Translator } from "./translator";

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
