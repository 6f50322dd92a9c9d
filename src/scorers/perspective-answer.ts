import { ATTRIBUTES, type AttributeScores } from "./attributes.js";

/** What Perspective says of a text when it cannot score it, by its own names. */
export type TextErrorType =
  "COMMENT_EMPTY" | "COMMENT_TOO_LONG" | "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE" | "LANGUAGE_DETECTION_FAILED";

const textErrors: readonly string[] = [
  "COMMENT_EMPTY",
  "COMMENT_TOO_LONG",
  "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
  "LANGUAGE_DETECTION_FAILED",
] satisfies TextErrorType[];

/** What became of one request. */
export type Answer =
  | { readonly kind: "scores"; readonly scores: AttributeScores }
  /** Asking again may help, not before `waitMs` if the server says so. */
  | { readonly kind: "passing"; readonly message: string; readonly busy: boolean; readonly waitMs?: number }
  /** The text is at fault: others may be scored. */
  | { readonly kind: "text"; readonly type: TextErrorType; readonly message: string }
  /** The key, the project or the request is at fault: no text will be scored. */
  | { readonly kind: "refused"; readonly message: string; readonly gone: boolean };

interface Detail {
  readonly errorType?: string;
  readonly reason?: string;
}

interface ErrorBody {
  readonly error?: {
    readonly message?: string;
    readonly status?: string;
    readonly details?: unknown;
  };
}

/** Reads a response of `comments:analyze`, whatever it is. */
export function readAnswer(status: number, retryAfter: string | null, body: string, now: Date): Answer {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    parsed = undefined;
  }
  if (status === 200) return readScores(parsed);

  const { error } = (typeof parsed === "object" && parsed !== null ? parsed : {}) as ErrorBody;
  const said = typeof error?.message === "string" ? error.message : body;
  const message = `HTTP ${status}${said.trim() === "" ? "" : `: ${said}`}`;
  if (status === 408 || status === 429 || status >= 500) {
    const waitMs = waitOf(retryAfter, now);
    return {
      kind: "passing",
      message,
      busy: status === 429 || status === 503,
      ...(waitMs === undefined ? {} : { waitMs }),
    };
  }
  const details: readonly (Detail | null)[] = Array.isArray(error?.details)
    ? (error.details as Detail[])
    : [];
  const type = details.map((detail) => detail?.errorType).find((name) => textErrors.includes(name ?? ""));
  if (type !== undefined) return { kind: "text", type: type as TextErrorType, message };
  const disabled =
    details.some((detail) => detail?.reason === "SERVICE_DISABLED") ||
    /disabled|has not been used|shut ?down|no longer|sunset|turned off/i.test(said) ||
    details.length === 0;
  return { kind: "refused", message, gone: status === 404 || status === 410 || (status === 403 && disabled) };
}

function readScores(body: unknown): Answer {
  const given = (body as { attributeScores?: Record<string, { summaryScore?: { value?: unknown } }> } | null)
    ?.attributeScores;
  const scores: Record<string, number> = {};
  for (const attribute of ATTRIBUTES) {
    const value = given?.[attribute]?.summaryScore?.value;
    if (typeof value !== "number" || !(value >= 0 && value <= 1)) {
      // A proxy's page, or an answer that was cut short: not what the service says.
      return {
        kind: "passing",
        message: `the answer has no ${attribute} between 0 and 1`,
        busy: false,
      };
    }
    scores[attribute] = value;
  }
  return { kind: "scores", scores: scores as AttributeScores };
}

/** Milliseconds of a Retry-After header, which gives seconds or a date. */
function waitOf(header: string | null, now: Date): number | undefined {
  if (header === null) return undefined;
  const seconds = Number(header);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - now.getTime();
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}
