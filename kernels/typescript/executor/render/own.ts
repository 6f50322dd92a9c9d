import type { Renderer } from "./renderer.js";
import { shownFrom } from "./bundle.js";

/** Names of the methods by which objects show themselves, the kernel's own first. */
const methods: readonly PropertyKey[] = [
  "toMimeBundle",
  // figures and tables of this project's library
  "mimeBundle",
  // the convention of Deno's kernel, which packages follow
  Symbol.for("Jupyter.display"),
];

/** What an object says itself about how to be shown, at once or by a promise. */
export const own: Renderer = {
  what: "its own method",
  async render(value) {
    if ((typeof value !== "object" && typeof value !== "function") || value === null) return undefined;
    for (const name of methods) {
      const method: unknown = Reflect.get(value, name);
      if (typeof method !== "function") continue;
      const title = typeof name === "symbol" ? `[${String(name)}]` : String(name);
      try {
        return shownFrom(await (method.call(value) as unknown), value);
      } catch (cause) {
        throw new OwnMethodError(title, cause);
      }
    }
    return undefined;
  },
};

/** An object's own method failed. */
export class OwnMethodError extends Error {
  constructor(
    readonly method: string,
    override readonly cause: unknown,
  ) {
    super(`${method}() failed`);
  }
}
