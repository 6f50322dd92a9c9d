import { Comms, type CommPublication } from "./comms.js";
import { Executions } from "./executions.js";
import { Executor } from "./executor.js";
import type { ExecutorCommand } from "./executor-process.js";
import { History } from "./history.js";
import { Inputs } from "./inputs.js";
import type { Language } from "./language.js";
import { Output } from "./output.js";
import { Requests } from "./requests.js";
import type { KernelSockets } from "./sockets.js";

/** Milliseconds a healthy executor gets to end by itself. */
const GRACE = 300;
/** Milliseconds after an interrupt: a cell that heard "no answer" first would go on with that. */
const CANCEL_AFTER = 100;

/** The parts of the front process, put together. */
export class Kernel {
  readonly #sockets: KernelSockets;
  readonly #executor: Executor;
  readonly #executions: Executions;
  readonly #inputs: Inputs;
  readonly #onEnd: (code: number) => void;
  #ending = false;

  /** Starts an executor and answers requests from then on. `onEnd` hears that all is over. */
  constructor(
    sockets: KernelSockets,
    command: ExecutorCommand,
    language: Language,
    onEnd: (code: number) => void,
  ) {
    this.#sockets = sockets;
    this.#onEnd = onEnd;
    const comms = new Comms();
    const history = new History();
    const inputs = new Inputs(
      (request, content, onId) => sockets.ask(request, content, onId),
      (answer) => this.#executor.tell(answer),
    );
    this.#inputs = inputs;
    const output: Output = new Output((name, execution, text) =>
      sockets.publish("stream", { name, text }, executions.parentOf(execution)),
    );
    const executor = (): Executor => this.#executor;
    const executions = new Executions({ sockets, output, history, inputs, language, executor });
    this.#executions = executions;
    const publishComm = ({ type, content, ...extra }: CommPublication, execution: number): Promise<void> =>
      output.send(() => sockets.publish(type, content, executions.parentOf(execution), extra));
    this.#executor = new Executor(
      command,
      {
        onText: (stream, execution, bytes) => executions.onText(stream, execution, bytes),
        onRaw: (stream, bytes) => executions.onRaw(stream, bytes),
        onPause: () => output.settled(),
        onMessage: (message) =>
          message.type === "comm-open" || message.type === "comm-message" || message.type === "comm-close"
            ? publishComm(comms.fromExecutor(message), message.execution)
            : executions.onMessage(message),
      },
      (how, waits) => {
        executions.onLost(how, waits);
        for (const closed of comms.closeAll()) void publishComm(closed, 0);
      },
    );
    const requests = new Requests({
      sockets,
      executor: this.#executor,
      executions,
      language,
      history,
      comms,
      interrupt: () => this.interrupt(),
      shutDown: () => void this.end(0),
    });
    void sockets.publish("status", { execution_state: "starting" }, {});
    sockets.listen({
      onRequest: (channel, message) => requests.receive(channel, message),
      onInputReply: (message) => inputs.reply(message),
      onStdinDeserted: () => inputs.cancel(),
    });
  }

  /** Stops the running cell, also one that waits for an answer. */
  interrupt(): void {
    this.#executions.interrupt();
    const unanswered = this.#inputs.open;
    setTimeout(() => this.#inputs.cancel(unanswered), CANCEL_AFTER);
  }

  /** Ends the executor and all it started, while the last messages leave. */
  async end(code: number): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    await this.#executor.end(GRACE);
    this.#sockets.close();
    this.#onEnd(code);
  }

  /** The same without waiting for anything. */
  kill(): void {
    this.#executor.kill();
  }
}
