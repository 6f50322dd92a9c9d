/** What `kernel.display` and `kernel.show` return: shown already, and not once more as the value of a cell. */
const shown = new WeakSet<object>();

export function markShown<T extends object>(value: T): T {
  shown.add(value);
  return value;
}

export const wasShown = (value: unknown): boolean =>
  typeof value === "object" && value !== null && shown.has(value);
