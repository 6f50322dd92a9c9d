/**
 * A point that all workers reach before any goes on, on two shared integers: how many have arrived, and how often all
 * have.
 */
export class Barrier {
  constructor(
    private readonly state: Int32Array,
    private readonly parties: number,
  ) {}

  wait(): void {
    const round = Atomics.load(this.state, 1);
    if (Atomics.add(this.state, 0, 1) === this.parties - 1) {
      Atomics.store(this.state, 0, 0);
      Atomics.add(this.state, 1, 1);
      Atomics.notify(this.state, 1);
      return;
    }
    while (Atomics.load(this.state, 1) === round) Atomics.wait(this.state, 1, round);
  }
}
