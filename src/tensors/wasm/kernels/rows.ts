import { FUSED } from "../../ops/fused.js";
import { input, number, registerFused, sizeOf } from "../kernel.js";
import type { Simd } from "../simd/module.js";

/** Kernels that move whole rows: embedding look-up, its gradient, and the growing cache. */
export function registerRows(simd: Simd | null): void {
  registerFused(FUSED.gatherRows, (inputs, _, heap) => {
    const table = input(inputs, "table");
    const ids = input(inputs, "ids");
    const width = table.shape[1] ?? 1;
    const out = heap.allocate([ids.shape[0] ?? 0, width]);
    const [source, target] = [heap.floats(table), heap.floats(out)];
    heap.integers(ids).forEach((id, n) => {
      target.set(source.subarray(id * width, (id + 1) * width), n * width);
    });
    return out;
  });
  registerFused(FUSED.scatterAdd, (inputs, attributes, heap) => {
    const rows = input(inputs, "rows");
    const width = rows.shape[1] ?? 1;
    const out = heap.allocate([number(attributes, "length"), width]);
    const [source, sums] = [heap.floats(rows), heap.floats(out)];
    const where = input(inputs, "ids");
    sums.fill(0);
    if (simd) {
      simd.scatterAdd(heap.address(rows), heap.address(where), heap.address(out), sizeOf(where), width);
      return out;
    }
    const ids = heap.integers(where);
    for (let n = 0; n < ids.length; n++) {
      const from = n * width;
      const to = ids[n]! * width;
      for (let i = 0; i < width; i++) sums[to + i] = sums[to + i]! + source[from + i]!;
    }
    return out;
  });
  registerFused(FUSED.appendToCache, (inputs, attributes, heap) => {
    const cache = input(inputs, "cache");
    const [batch = 0, capacity = 0, width = 0] = cache.shape;
    const out = heap.share(cache);
    const [target, source] = [heap.floats(out), heap.floats(input(inputs, "qkv"))];
    const queries = source.length / batch / (3 * width);
    const at = number(attributes, "at");
    for (let row = 0; row < batch * queries; row++) {
      const from = (3 * row + number(attributes, "part")) * width;
      const position = Math.floor(row / queries) * capacity + at + (row % queries);
      target.set(source.subarray(from, from + width), position * width);
    }
    return out;
  });
}
