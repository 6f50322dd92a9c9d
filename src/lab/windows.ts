import { mulberry32, shuffled } from "@alignscope/base/random";

/**
 * The order in which a stream of tokens is read: windows of `length` + 1 tokens side by side, every one once before any a
 * second time. Each pass has an order of its own and begins at another token, so that its windows are cut elsewhere.
 */
export class Windows {
  private pass = -1;
  private begin = 0;
  private order: number[] = [];
  private readonly count: number;

  constructor(
    private readonly tokens: Uint16Array,
    private readonly length: number,
    private readonly seed: number,
  ) {
    // A window also reads its last target, and a pass may begin up to a window's length later.
    this.count = Math.floor((tokens.length - 1) / length) - 1;
    if (this.count < 1) {
      throw new Error(
        `windows of ${length} tokens: ${tokens.length} tokens, expected at least ${2 * length + 1}`,
      );
    }
  }

  /** Window number `index` of the endless row of passes. */
  at(index: number): number[] {
    const pass = Math.floor(index / this.count);
    if (pass !== this.pass) {
      const random = mulberry32(this.seed * 7919 + pass);
      this.begin = Math.floor(random() * this.length);
      this.order = shuffled(
        Array.from({ length: this.count }, (_, i) => i),
        random,
      );
      this.pass = pass;
    }
    const start = this.begin + (this.order[index % this.count] as number) * this.length;
    return Array.from(this.tokens.subarray(start, start + this.length + 1));
  }
}
