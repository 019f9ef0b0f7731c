// Random numbers from a seed, so that a failure comes again: STEPWELL_SEED.

export class Chance {
  private constructor(private readonly seed: number, private state = seed) {}

  static seeded(): Chance {
    return new Chance(Number(process.env.STEPWELL_SEED ?? Date.now() % 2 ** 31));
  }

  /** What a failure says. */
  get told(): string {
    return `STEPWELL_SEED=${this.seed}`;
  }

  /** From 0, less than `limit`: mulberry32. */
  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  of<T>(all: readonly T[]): T {
    return all[this.below(all.length)] as T;
  }
}
