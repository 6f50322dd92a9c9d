/** Refuses a name that is no plain file name: it becomes one, and part of links and labels. */
export function checkName(what: string, name: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
    throw new Error(`${what} name: got "${name}", expected letters, digits, dot, dash and underscore only`);
  }
}

/** "Table 2" for a number, undefined without one. */
export function numberedName(
  kind: "Table" | "Figure",
  number: number | string | undefined,
): string | undefined {
  return number === undefined || number === "" ? undefined : `${kind} ${number}`;
}
