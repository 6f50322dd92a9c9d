import type { JupyterMessage } from "jupyter-wire/messages";
import type { ToExecutor, ToFront } from "../wire/index.js";

type InputRequest = Extract<ToFront, { type: "input" }>;
type Answer = Extract<ToExecutor, { type: "input-reply" }>;

type Ask = (
  request: JupyterMessage,
  content: { prompt: string; password: boolean },
  onId: (msgId: string) => void,
) => Promise<boolean>;

interface Waiting {
  input: number;
  execution: number;
  /** The msg_id of the input_request. */
  asked?: string;
}

/** Questions of cells to whoever runs them, and their answers. Each question is answered once, also when nobody can. */
export class Inputs {
  readonly #waiting = new Map<number, Waiting>();
  readonly #ask: Ask;
  readonly #tell: (answer: Answer) => void;

  constructor(ask: Ask, tell: (answer: Answer) => void) {
    this.#ask = ask;
    this.#tell = tell;
  }

  /** `request` is missing when the cell may not ask, or is over. */
  async question(
    { input, execution, prompt, password }: InputRequest,
    request: JupyterMessage | undefined,
  ): Promise<void> {
    const waiting: Waiting = { input, execution };
    this.#waiting.set(input, waiting);
    const asked = request && (await this.#ask(request, { prompt, password }, (id) => (waiting.asked = id)));
    if (!asked) this.#answer(input);
  }

  /** An input_reply. One that names no question answers the only one there is. */
  reply({ parentHeader, content }: JupyterMessage): void {
    const open = [...this.#waiting.values()].filter(({ asked }) => asked !== undefined);
    const named = open.find(({ asked }) => asked === parentHeader.msg_id);
    const meant = named ?? (parentHeader.msg_id === undefined && open.length === 1 ? open[0] : undefined);
    if (meant) this.#answer(meant.input, typeof content["value"] === "string" ? content["value"] : undefined);
  }

  /** The questions that wait for an answer. */
  get open(): number[] {
    return [...this.#waiting.keys()];
  }

  /** Nobody will answer these any more. */
  cancel(questions: number[] = this.open): void {
    for (const input of questions) this.#answer(input);
  }

  /** The execution is over, and nobody waits for answers to its questions. */
  forget(execution: number): void {
    for (const waiting of this.#waiting.values()) {
      if (waiting.execution === execution) this.#waiting.delete(waiting.input);
    }
  }

  #answer(input: number, value?: string): void {
    if (!this.#waiting.delete(input)) return;
    this.#tell({ type: "input-reply", input, ...(value === undefined ? {} : { value }) });
  }
}
