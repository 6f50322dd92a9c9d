/** Waiting for an AbortSignal that lives longer than the wait: a run's signal outlives its hundreds of cells. */
export interface AbortWait {
  /** Resolves when the signal aborts; never otherwise. */
  aborted: Promise<void>;
  /** To be called when the wait is over. */
  stopListening(): void;
}

/**
 * Starts to wait. (Node can take a listener off by itself, by the option `signal` of addEventListener, but it forgets all
 * such listeners but the last when several wait for one signal, as notebooks that run at the same time do.)
 */
export function waitForAbort(signal: AbortSignal | undefined): AbortWait {
  let onAbort!: () => void;
  const aborted = new Promise<void>((resolve) => (onAbort = resolve));
  if (signal?.aborted) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  return { aborted, stopListening: () => signal?.removeEventListener("abort", onAbort) };
}
