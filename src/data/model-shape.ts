import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { projectRoot } from "@alignscope/base/paths";
import type { ModelShape } from "./entries.js";
import { registry } from "./registry.js";

export type { ModelShape } from "./entries.js";

/**
 * The shape of a model by its name in the registry, without its files being there, or by the path of a folder in
 * Hugging Face's layout; undefined where nothing says it.
 *
 * @example modelShape("gpt2-medium")?.layers // 24
 */
export function modelShape(nameOrPath: string): ModelShape | undefined {
  const entry = registry().find(({ name, kind }) => name === nameOrPath && kind === "model");
  if (entry?.shape) return entry.shape;
  const { embedded } = entry?.sources ?? {};
  if (embedded !== undefined) return shapeIn(join(projectRoot(), embedded));
  return /[/\\]/.test(nameOrPath) ? shapeIn(resolve(nameOrPath)) : undefined;
}

function shapeIn(folder: string): ModelShape | undefined {
  const path = join(folder, "config.json");
  if (!existsSync(path)) return undefined;
  try {
    const config = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    const [layers, width, vocabulary, context] = ["n_layer", "n_embd", "vocab_size", "n_positions"].map(
      (key) => config[key],
    );
    const sizes = { layers, width, vocabulary, context };
    return Object.values(sizes).every((size) => typeof size === "number") ? (sizes as ModelShape) : undefined;
  } catch {
    return undefined; // a damaged configuration is for whoever loads the model to complain of
  }
}

/**
 * Parameters of a GPT-2 of that shape: blocks (12 d² + 13 d each), token and position embeddings, the last layer norm.
 *
 * @example parameterCount({ layers: 24, width: 1024, vocabulary: 50257, context: 1024 }) // 354,823,168
 */
export function parameterCount({ layers, width, vocabulary, context }: ModelShape): number {
  return layers * (12 * width ** 2 + 13 * width) + (vocabulary + context + 2) * width;
}
