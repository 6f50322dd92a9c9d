export type StopSignal = "SIGINT" | "SIGTERM";

/**
 * Does long work that Ctrl-C or SIGTERM ends in good order; a second one ends this process at once.
 *
 * @returns what the work gave, and the signal that ended it early
 */
export async function untilSignalled<T>(
  work: (abort: AbortSignal) => Promise<T>,
): Promise<{ value: T; signal: StopSignal | undefined }> {
  const abort = new AbortController();
  let signal: StopSignal | undefined;
  const interrupt = (name: StopSignal): void => {
    if (abort.signal.aborted) process.exit(name === "SIGINT" ? 130 : 143);
    signal = name;
    abort.abort();
  };
  // Not once(): the runner looks whether somebody still listens, and ends everything at once if nobody does.
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  try {
    const value = await work(abort.signal);
    return { value, signal };
  } finally {
    process.removeListener("SIGINT", interrupt).removeListener("SIGTERM", interrupt);
  }
}
