import type { Shown } from "../../../kernels/alignscope/wire";
import { render } from "../../../kernels/alignscope/executor/render";

/** The bundle of a value that is something. */
export async function shown(value: unknown): Promise<Shown> {
  const bundle = await render(value);
  if (!bundle) throw new Error("render gave nothing");
  return bundle;
}

export async function text(value: unknown): Promise<string> {
  return String((await shown(value)).data["text/plain"]);
}
