import type { Shown } from "../../../kernels/typescript/wire/index.js";
import { render } from "../../../kernels/typescript/executor/render/index.js";

/** The bundle of a value that is something. */
export async function shown(value: unknown): Promise<Shown> {
  const bundle = await render(value);
  if (!bundle) throw new Error("render gave nothing");
  return bundle;
}

export async function text(value: unknown): Promise<string> {
  return String((await shown(value)).data["text/plain"]);
}
