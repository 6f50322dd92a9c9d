import { findBlas } from "@alignscope/tensors/wasm/blas";

/** Backends that leave matrix products to the system's BLAS, where it has one. */
const WITH_BLAS = [undefined, "auto", "wasm"];

/**
 * What to say before a long run on a machine without a BLAS; undefined where there is nothing to say.
 *
 * @param backend as it was asked for
 */
export function blasHint(backend: string | undefined): string | undefined {
  if (!WITH_BLAS.includes(backend)) return undefined;
  const { blas, reason } = findBlas();
  return blas ? undefined : `${reason}: on the CPU this takes two to three times as long as with one`;
}
