import { UserError } from "./errors.js";

/**
 * Refuses what is no positive integer, by its name.
 *
 * @example checkPositive({ batchSize, maxNewTokens }); // "batchSize: got 0, expected a positive integer"
 */
export function checkPositive(values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!(Number.isInteger(value) && value >= 1)) {
      throw new UserError(`${name}: got ${value}, expected a positive integer`);
    }
  }
}
