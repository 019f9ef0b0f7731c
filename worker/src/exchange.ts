// One exchange of the engine, which outlives the instance that it began in: whatever it was told is told again to a fresh one.
// An exchange is a function of that, so that it comes to the same point. Only the request whose decision traps twice is given up.

import { type Catalog, catalog } from "./catalog.js";
import { type actors, type http, type Instance, instance, Trap } from "./engine.js";

type Told = { now: bigint; answers: http.Answer[] };

export class Exchange {
  private readonly told: Told[] = [];
  /** What it decides by: the newest that is known when it begins, since the instance may have heard of that already. */
  private known: Catalog | undefined;
  private begun: { instance: Instance; handle: http.Exchange } | undefined;

  constructor(
    private readonly settings: actors.Settings,
    private readonly begin: { now: bigint; entropy: [bigint, bigint]; request: http.Request },
  ) {}

  /** What is to be done first. */
  start(): http.Progress {
    return this.twice((handle, part) => part.requests(() => handle.start()), []);
  }

  /** What is to be done next. */
  resume(now: bigint, answers: http.Answer[]): http.Progress {
    const earlier = [...this.told];
    const told = { now, answers };
    const made = this.twice((handle, part) => part.requests(() => handle.resume(now, answers)), earlier);
    this.told.push(told);
    return made;
  }

  /** It is over. */
  free(): void {
    if (this.begun !== undefined) this.begun.instance.free(this.begun.handle);
    this.begun = undefined;
  }

  private twice(step: (handle: http.Exchange, part: Instance) => http.Progress, earlier: Told[]): http.Progress {
    const isFirst = this.begun === undefined;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { instance, handle } = this.held(isFirst ? undefined : earlier);
        return step(handle, instance);
      } catch (error) {
        this.begun = undefined;
        if (!(error instanceof Trap) || attempt === 2) throw error;
      }
    }
  }

  /** The handle, made again where its instance is gone; `earlier` is what it was told after its start. */
  private held(earlier: Told[] | undefined): { instance: Instance; handle: http.Exchange } {
    if (this.begun !== undefined && !this.begun.instance.isGone) return this.begun;
    const part = instance("event-api", this.settings);
    // The empty one cannot be installed again.
    const known = this.known === undefined || this.known.version === 0n ? catalog() : this.known;
    this.known = known;
    part.install(known.version, known.snapshot);
    const { now, entropy, request } = this.begin;
    const handle = part.requests((http) => new http.Exchange(now, entropy, known.version, request));
    if (earlier !== undefined) {
      part.requests(() => handle.start());
      for (const { now, answers } of earlier) part.requests(() => handle.resume(now, answers));
    }
    this.begun = { instance: part, handle };
    return this.begun;
  }
}
