import { bound } from "./interrupts.js";

/** Has what a cell puts off belong to that cell: Node's timers call back what they are given as the cell that gave it. */
export function keepTimersApart(): void {
  for (const name of ["setTimeout", "setInterval", "setImmediate", "queueMicrotask"] as const) {
    const original = globalThis[name] as (work: () => void, ...given: unknown[]) => unknown;
    const replaced = (work: () => void, ...given: unknown[]): unknown => original(bound(work), ...given);
    // What util.promisify looks for, and the name.
    Object.defineProperties(replaced, Object.getOwnPropertyDescriptors(original));
    Object.defineProperty(globalThis, name, {
      value: replaced,
      configurable: true,
      writable: true,
      enumerable: true,
    });
  }
}
