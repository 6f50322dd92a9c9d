import { tellFront } from "./channel.js";
import { currentExecution } from "./interrupts.js";

/** Questions to whoever sits at the front end. */
export class Inputs {
  readonly #open = new Map<number, (value: string | undefined) => void>();
  #count = 0;

  /** Rejects when nobody can answer; a cell that is interrupted waits no longer. */
  async ask(prompt: string, password: boolean): Promise<string> {
    const execution = currentExecution();
    if (!execution.allowStdin) {
      throw new Error(
        `input(${JSON.stringify(prompt)}) cannot be answered: whoever runs this cell does not allow questions; pass the value as a parameter`,
      );
    }
    const input = ++this.#count;
    const answered = new Promise<string | undefined>((resolve) => this.#open.set(input, resolve));
    tellFront({ type: "input", execution: execution.id, input, prompt, password });
    try {
      const value = await answered;
      if (value === undefined) throw new Error(`input(${JSON.stringify(prompt)}) was not answered`);
      return value;
    } finally {
      this.#open.delete(input);
    }
  }

  answer(input: number, value: string | undefined): void {
    this.#open.get(input)?.(value);
  }
}
