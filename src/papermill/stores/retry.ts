import { setTimeout as sleep } from "node:timers/promises";

/** Asked too often: worth asking again. papermill's PapermillRateLimitException. */
export class RateLimitError extends Error {
  override readonly name = "RateLimitError";
}

/** How often and how patiently, in milliseconds; papermill's numbers. */
export const RETRY = { attempts: 3, delay: 1000, longest: 4000 };

/** Does the work again, with growing pauses, while it fails with a RateLimitError. */
export async function withRetries<Result>(work: () => Promise<Result>, retry = RETRY): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof RateLimitError) || attempt >= retry.attempts) throw error;
      await sleep(Math.min(retry.delay * 2 ** (attempt - 1), retry.longest));
    }
  }
}
