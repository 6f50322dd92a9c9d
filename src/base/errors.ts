const USER_ERROR: unique symbol = Symbol.for("alignscope.user-error");

/**
 * An error whose one-line message is meant for the person at the keyboard: what is wrong, what was got, what was
 * expected and what to do. Commands print it without a stack trace and exit with 1.
 *
 * @example throw new UserError("unknown backend: gpu (expected one of auto, cuda, native, webgpu, wasm, cpu)");
 */
export class UserError extends Error {
  override readonly name = "UserError";

  /** Packages that were installed apart bring a copy of this class each: what one of them throws is a UserError to all. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== UserError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return value instanceof Error && USER_ERROR in value;
  }

  get [USER_ERROR](): true {
    return true;
  }
}

/** What `error` says, in one line, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Why `fetch` failed: its own message is "fetch failed", the reason is the cause. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return (cause === undefined ? "" : messageOf(cause)) || messageOf(error);
}

/**
 * What a text in JSON says.
 *
 * @param wrong makes a message of why it is not JSON
 * @throws UserError with that message
 * @example parseJson<Partial<Meta> | null>(text, (why) => `${path} is not JSON (${why})`)
 */
export function parseJson<T>(text: string, wrong: (why: string) => string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new UserError(wrong(messageOf(error)));
  }
}
