import type { PaperTable } from "./paper-values.js";
import type { Cell } from "./rows.js";

/** A setting of a run beside what was published, ready for a table. */
export interface ComparedSetting {
  id: string;
  label: Cell;
  /** As people write it: `1e-6`, `no`; null where the run had no such setting. */
  own: string | null;
  paper: string | null;
  code: string | null;
  /** Against the paper, or, where it prints no value, against its code. */
  verdict: "equal" | "differs" | "as in the code" | "not as in the code" | "not used";
  /** Why it differs, or what a reader must know of the published values; null where there is nothing to say. */
  remark: string | null;
}

/**
 * The settings that a run was made with beside a table of published ones (tables 5 and 6), in the table's order.
 *
 * @param used by the id of the table's rows, e.g. `{ beta: 0.1, learningRate: 1e-6 }`
 * @param published rows with `value`, the paper's, `code`, its official code's, and `remark`; `parameter` names what a profile
 *   calls the setting
 * @param reasons why a profile departs, by `parameter` or id
 *
 * @example
 * besideSettings(dpo.settings, paperTable("table-5"), { dpoPatience: "minutes, not hours" });
 */
export function besideSettings(
  used: Readonly<Record<string, unknown>>,
  published: PaperTable,
  reasons: Readonly<Record<string, string>> = {},
): ComparedSetting[] {
  return published.rows.map((row) => {
    const id = String(row["id"]);
    const [paper, code] = [written(row["value"]), written(row["code"])];
    const own = written(used[id]);
    const same = own === (paper ?? code);
    const verdict =
      own === null
        ? "not used"
        : paper !== null
          ? same
            ? "equal"
            : "differs"
          : same
            ? "as in the code"
            : "not as in the code";
    const reason = reasons[String(row["parameter"])] ?? reasons[id] ?? "chosen for this run";
    const remarks = [own === null || same ? null : reason, written(row["remark"])].filter(
      (part) => part !== null,
    );
    return {
      ...{ id, label: row["label"] ?? id, own, paper, code, verdict },
      remark: remarks.length === 0 ? null : remarks.join("; "),
    };
  });
}

/** A setting in words; equal settings have equal words. */
function written(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "number") return typeof value === "string" ? value : JSON.stringify(value);
  const size = Math.abs(value);
  return size !== 0 && size < 1e-3 ? value.toExponential() : String(value);
}
