/*
 * What every cell finds in this kernel without importing it.
 */

/**
 * Asks whoever runs the notebook for a line of text.
 *
 * @param prompt what to ask
 * @param options `password: true` hides what is typed
 * @throws when the front end does not allow questions, as in a headless run, and when the cell is interrupted
 * @example const name = await input("Which model? ");
 */
declare function input(prompt?: string, options?: { password?: boolean }): Promise<string>;

/** What this kernel offers to cells. */
declare const kernel: AlignscopeKernel.Kernel;

declare namespace AlignscopeKernel {
  /** Representations of one thing by MIME type: text, JSON or bytes. */
  type MimeBundle = Record<string, unknown>;

  interface Kernel {
    /**
     * Shows representations of one thing; the front end picks the richest it knows.
     *
     * @example kernel.display({ "text/html": "<b>bold</b>", "text/plain": "bold" });
     */
    display(data: MimeBundle, metadata?: Record<string, object>): DisplayHandle;
    /** Shows a value as the last expression of a cell would be. */
    show(value: unknown): Promise<void>;
    /**
     * Ends the cell and, in a headless run, the notebook, as a success: the cells after it are skipped.
     *
     * @example if (rows.length === 0) kernel.stop("nothing new since yesterday");
     */
    stop(reason?: string): never;
    /** Clears the output of the running cell; with `wait`, only when the next output comes, so that nothing flickers. */
    clearOutput(wait?: boolean): void;
    /** What tensors are alive, which cells have left them behind, and what this process uses. */
    memory(): MemoryReport;
    /** Ends the code of an interrupted cell: to be called now and then by a long loop that awaits nothing of its own. */
    checkpoint(): void;
    /** Channels to code in the front end, such as widgets. */
    readonly comms: Comms;
    /** Things to show: `kernel.html("<b>bold</b>")` as the last expression, or in a field of what it returns. */
    html(text: string): object;
    markdown(text: string): object;
    latex(text: string): object;
    svg(text: string): object;
    image(bytes: Uint8Array): object;
  }

  interface DisplayHandle {
    readonly displayId: string;
    /** Replaces what is shown, wherever it is shown. */
    update(data: MimeBundle, metadata?: Record<string, object>): void;
  }

  interface MemoryReport {
    /** Tensors alive now. */
    tensors: number;
    bytes: number;
    /** The cells that have changed that number, in order. */
    cells: { cell: string; tensors: number; bytes: number }[];
    /** Resident memory of the process that runs the cells, in bytes. */
    rss: number;
    heapUsed: number;
  }

  interface Comms {
    /** Takes comms that the front end opens for a target. */
    register(target: string, onOpen: (comm: Comm, data: Record<string, unknown>) => void): void;
    /** Opens a comm to a target that the front end knows. */
    open(target: string, data?: Record<string, unknown>): Comm;
  }

  interface Comm {
    readonly id: string;
    send(data: Record<string, unknown>, buffers?: Uint8Array[]): void;
    close(data?: Record<string, unknown>): void;
    onMessage?: (data: Record<string, unknown>, buffers: Uint8Array[]) => void;
    onClose?: (data: Record<string, unknown>) => void;
  }
}
