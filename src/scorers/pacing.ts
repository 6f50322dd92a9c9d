import { setTimeout as wait } from "node:timers/promises";

/** Waits for so many milliseconds. @throws the signal's reason when it is aborted */
export async function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  if (milliseconds <= 0) return;
  try {
    await wait(milliseconds, undefined, signal ? { signal } : {});
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/** Lets callers pass one by one, evenly spaced: so many a second, and never two at once after a quiet time. */
export class Pacer {
  private readonly interval: number;
  private next = 0;
  private closedUntil = 0;

  /** @param perSecond above 0; `Infinity` lets all pass */
  constructor(perSecond: number) {
    this.interval = 1000 / perSecond;
  }

  /** Resolves when it is the caller's turn. */
  async turn(signal?: AbortSignal): Promise<void> {
    for (;;) {
      const slot = Math.max(this.next, this.closedUntil, performance.now());
      this.next = slot + this.interval;
      await sleep(slot - performance.now(), signal);
      if (performance.now() >= this.closedUntil) return;
    }
  }

  /** Lets nobody pass for so many milliseconds. */
  close(milliseconds: number): void {
    this.closedUntil = Math.max(this.closedUntil, performance.now() + milliseconds);
  }
}
