import { inspect } from "node:util";
import type { Shown } from "../../wire";
export async function render(value: unknown): Promise<Shown | undefined> {
  return { data: { "text/plain": typeof value === "string" ? value : inspect(value) }, metadata: {} };
}
