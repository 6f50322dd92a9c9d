import { randomUUID } from "node:crypto";
import type { CommMessage, ToExecutor } from "../wire/index.js";
import { tellFront } from "./channel.js";
import { currentExecution } from "./interrupts.js";

type Data = Record<string, unknown>;
type FromFront = Extract<ToExecutor, { type: "comm-open" | "comm-message" | "comm-close" }>;

/** One channel between a cell and code in the front end. */
export class Comm {
  onMessage?: (data: Data, buffers: Uint8Array[]) => void;
  onClose?: (data: Data) => void;

  constructor(
    readonly id: string,
    private readonly forget: () => void,
  ) {}

  send(data: Data, buffers: Uint8Array[] = []): void {
    tellFront({ type: "comm-message", execution: currentExecution().id, ...message(this.id, data, buffers) });
  }

  close(data: Data = {}): void {
    this.forget();
    tellFront({ type: "comm-close", execution: currentExecution().id, ...message(this.id, data) });
  }
}

/** The comms that are open, and who takes new ones. */
export class Comms {
  readonly #open = new Map<string, Comm>();
  readonly #targets = new Map<string, (comm: Comm, data: Data) => void>();

  register(target: string, onOpen: (comm: Comm, data: Data) => void): void {
    this.#targets.set(target, onOpen);
  }

  open(target: string, data: Data = {}): Comm {
    const comm = this.#add(randomUUID());
    tellFront({ type: "comm-open", execution: currentExecution().id, target, ...message(comm.id, data) });
    return comm;
  }

  hear(heard: FromFront): void {
    const buffers = (heard.buffers ?? []).map((one) => Buffer.from(one, "base64"));
    if (heard.type === "comm-open") {
      const take = this.#targets.get(heard.target);
      const comm = this.#add(heard.commId);
      // As the protocol says: a target that nobody knows is answered with the comm's end.
      if (take) take(comm, heard.data);
      else comm.close();
      return;
    }
    const comm = this.#open.get(heard.commId);
    if (heard.type === "comm-message") comm?.onMessage?.(heard.data, buffers);
    else {
      this.#open.delete(heard.commId);
      comm?.onClose?.(heard.data);
    }
  }

  #add(id: string): Comm {
    const comm = new Comm(id, () => this.#open.delete(id));
    this.#open.set(id, comm);
    return comm;
  }
}

function message(commId: string, data: Data, buffers: Uint8Array[] = []): CommMessage {
  return {
    commId,
    data: data as CommMessage["data"],
    ...(buffers.length ? { buffers: buffers.map((one) => Buffer.from(one).toString("base64")) } : {}),
  };
}
