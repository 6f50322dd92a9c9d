import type { TensorsKept, TensorWatch } from "./tensors.js";
import { size } from "@alignscope/base/size";

/** What `kernel.memory()` returns: the figures, and a table of them as text. */
export function memoryReport(watch: TensorWatch): object {
  const { tensors, bytes } = watch.now();
  const { rss, heapUsed } = process.memoryUsage();
  const cells = [...watch.kept];
  return {
    tensors,
    bytes,
    cells,
    rss,
    heapUsed,
    toMimeBundle: () => ({ "text/plain": table(tensors, bytes, cells, rss, heapUsed) }),
  };
}

function table(tensors: number, bytes: number, cells: TensorsKept[], rss: number, heap: number): string {
  const width = Math.max(0, ...cells.map(({ cell }) => cell.length));
  const rows = cells.map(
    (one) => `  ${one.cell.padEnd(width)}  ${signed(one.tensors)} tensors  ${signed(one.bytes / 1e6, 2)} MB`,
  );
  return [
    `${tensors} tensors alive, ${size(bytes)}${rows.length ? "; left or disposed by cell:" : ""}`,
    ...rows,
    `process: ${size(rss)} resident, ${size(heap)} of JavaScript objects`,
  ].join("\n");
}

function signed(value: number, digits = 0): string {
  return `${value >= 0 ? "+" : ""}${value.toFixed(digits)}`;
}
