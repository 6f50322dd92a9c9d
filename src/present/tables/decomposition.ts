import { type Table, table } from "../table.js";

/** A sum of parts held against what the model wrote. */
export interface RebuiltPart {
  part: string;
  /** largest coordinate of what the model wrote */
  value: number;
  /** largest difference in any coordinate */
  error: number;
}

/** How exactly the residual stream and each MLP's output are the sums that they should be. */
export function decompositionTable(parts: readonly RebuiltPart[]): Table {
  return table({
    name: "decomposition",
    title: "Sums held against what the model wrote",
    caption:
      "Largest coordinate, and largest difference in any coordinate. 32-bit floats carry about seven digits.",
    columns: [
      { key: "part", label: "Part" },
      { key: "value", label: "Largest value" },
      { key: "error", label: "Largest difference" },
      { key: "relative", label: "Relative" },
    ],
    rows: parts.map((row) => ({ ...row, relative: row.error / row.value })),
  });
}
