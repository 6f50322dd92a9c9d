import { slotOf, type CompiledCell } from "../wire/index.js";

/*
 * The names of all cells. Each is a property of the global object, under a name that no other code can mean, so that V8
 * reads and writes it as it does any global variable, and tells errors in the words that were written.
 */

const names = new Set<string>();

/** Makes room for what a cell declares. What was never assigned cannot be read. */
export function prepareSlots({
  declares,
  vars,
  resets,
}: Pick<CompiledCell, "declares" | "vars" | "resets">): void {
  for (const name of declares) if (!names.has(name)) unassigned(name);
  for (const name of vars) if (!isAssigned(name)) assign(name, undefined);
  for (const name of resets) assign(name, undefined);
}

/** Binds a name to a property, read anew each time: what a module exports may change. */
export function bindSlot(name: string, read: () => unknown): void {
  names.add(name);
  Object.defineProperty(globalThis, slotOf(name), {
    get: read,
    set: (value: unknown) => assign(name, value),
    configurable: true,
  });
}

/** Whether a `var` has been given one. */
export const hasValue = (name: string): boolean => Reflect.get(globalThis, slotOf(name)) !== undefined;

function assign(name: string, value: unknown): void {
  names.add(name);
  Object.defineProperty(globalThis, slotOf(name), { value, writable: true, configurable: true });
}

function unassigned(name: string): void {
  bindSlot(name, () => {
    throw new ReferenceError(`${name} has no value: the cell that declares it did not get that far`);
  });
}

function isAssigned(name: string): boolean {
  return "value" in (Object.getOwnPropertyDescriptor(globalThis, slotOf(name)) ?? {});
}
