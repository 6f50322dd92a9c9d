import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from "node:worker_threads";
import { completeness } from "./completeness.js";
import { Language, type LanguageOptions } from "./language.js";
import { rewriteCell, rewriteModule } from "./rewriting/rewrite.js";
import { keepCompiled } from "./typescript.js";

/*
 * The thread in which TypeScript works, apart from the front's sockets. It does what client.ts asks for, in order; only the
 * question whether code is whole, which needs no more than the parser, is answered amid other work.
 */

/** What a client asks for: a method of {@link Language}. */
export interface LanguageRequest {
  id: number;
  method: LanguageMethod;
  args: unknown[];
}

export type LanguageAnswer = { id: number; value: unknown } | { id: number; error: string };

export type LanguageMethod =
  | "compile"
  | "settled"
  | "forget"
  | "reset"
  | "restore"
  | "localFile"
  | "complete"
  | "hover"
  | "completeness";

export interface LanguageThread extends LanguageOptions {
  /** Brings requests of the method `completeness`, and takes their answers. */
  urgent: MessagePort;
}

const { urgent, ...options } = workerData as LanguageThread;

function answerUrgent({ id, args: [code] }: LanguageRequest): void {
  urgent.postMessage({ id, value: completeness(String(code)) } satisfies LanguageAnswer);
}
urgent.on("message", answerUrgent);

const language = new Language(options, { rewriteCell, rewriteModule }, () => {
  const waiting = receiveMessageOnPort(urgent);
  if (waiting) answerUrgent(waiting.message as LanguageRequest);
});
const methods = language as unknown as Record<LanguageMethod, (...args: unknown[]) => unknown>;

/** A first cell that waited is run meanwhile, in milliseconds, and the next may be there. */
const PAUSE_MS = 200;

/** Work ahead, step by step, between what is asked: the first cell and the first question find TypeScript ready, or nearly. */
const ahead: readonly { after?: number; work: () => void }[] = [
  { work: () => language.compileNothing() },
  { after: PAUSE_MS, work: () => language.complete("a", 1) },
  { work: keepCompiled },
  // What a compiler makes is soon needless, and V8 would let it become several times what is needed.
  { work: () => setFlagsFromString("--heap-growing-percent=10") },
  { work: () => language.loadPackages() },
];

async function workAhead(): Promise<void> {
  for (const { after = 0, work } of ahead) {
    await sleep(after);
    try {
      work();
    } catch {
      // The cell that needs it hears what is wrong.
    }
  }
}
void workAhead();

parentPort?.on("message", ({ id, method, args }: LanguageRequest) => {
  let answer: LanguageAnswer;
  try {
    answer = { id, value: methods[method](...args) };
  } catch (error) {
    answer = { id, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
  parentPort?.postMessage(answer);
});
