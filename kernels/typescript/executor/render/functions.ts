import { plainText } from "./plain.js";
import type { Renderer } from "./renderer.js";
import { textOnly } from "./renderer.js";
import { shortened } from "./words.js";

/** Functions by name and the first line of their source; classes by name and methods. */
export const functions: Renderer = {
  what: "a function",
  render(value) {
    if (typeof value !== "function") return undefined;
    const label = plainText(value);
    const source = Function.prototype.toString.call(value);
    if (/^class\b/.test(source)) {
      const methods = methodNames(value);
      return textOnly(methods.length > 0 ? `${label}\n  ${methods.join(", ")}` : label);
    }
    if (/\{\s*\[native code\]\s*\}$/.test(source)) return textOnly(label);
    const [first = "", ...rest] = source.split("\n");
    const line = shortened(first.trimEnd(), 200);
    return textOnly(`${label}\n${rest.length > 0 && !line.endsWith("…") ? `${line} …` : line}`);
  },
};

function methodNames(constructor: object): string[] {
  const prototype: unknown = Object.getOwnPropertyDescriptor(constructor, "prototype")?.value;
  if (typeof prototype !== "object" || prototype === null) return [];
  const names = Object.entries(Object.getOwnPropertyDescriptors(prototype))
    .filter(([name]) => name !== "constructor")
    .map(([name, property]) => {
      if (typeof property.value === "function") return `${name}()`;
      return "value" in property ? name : `${property.get ? "get" : "set"} ${name}`;
    });
  return names.length > 60 ? [...names.slice(0, 60), `… ${names.length - 60} more`] : names;
}
