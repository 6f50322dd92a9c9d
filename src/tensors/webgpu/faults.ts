import { UserError } from "@alignscope/base/errors";

/*
 * What goes wrong on a device is reported beside the calls, not by them. It is collected here, and thrown at the next
 * point at which somebody looks.
 */
export class Faults {
  private lostBecause: string | null = null;
  private pending: GPUError[] = [];

  constructor(device: GPUDevice) {
    device.onuncapturederror = (event) => {
      // Otherwise Dawn prints it as well.
      event.preventDefault();
      this.pending.push(event.error);
    };
    void device.lost.then(({ reason, message }) => {
      this.lostBecause = `${reason}: ${firstLine(message)}`;
    });
  }

  /** Whether the device is gone for good. */
  get lost(): boolean {
    return this.lostBecause !== null;
  }

  /**
   * Throws what went wrong since the last look, and forgets it: later work may well succeed.
   *
   * @throws UserError
   */
  check(): void {
    if (this.lostBecause !== null) {
      throw new UserError(
        `webgpu: the GPU was lost (${this.lostBecause}): open the backend again, with less work at a time`,
      );
    }
    const [first] = this.pending;
    // What follows the first error only says that something invalid was used.
    this.pending = [];
    if (first) throw new UserError(`webgpu: ${firstLine(first.message)}`);
  }

  /**
   * Runs `create` and tells its result from an error of its own; Dawn reports those before the call returns.
   *
   * @returns the result, or null where `create` failed
   */
  attempt<T>(create: () => T): T | null {
    const before = this.pending;
    this.pending = [];
    try {
      const made = create();
      return this.pending.length === 0 ? made : null;
    } catch (error) {
      // A buffer that is to be mapped at creation fails with an exception.
      if (error instanceof RangeError) return null;
      throw error;
    } finally {
      this.pending = before;
    }
  }
}

function firstLine(message: string): string {
  return message.trim().split("\n")[0] ?? "";
}
