import type { Forecast } from "../../pipeline/index.js";
import type { Host } from "./host.js";
import type { Line } from "./report.js";

/** What every check is told. */
export interface Context {
  host: Host;
  profile: string;
  /** What the profile needs: data, memory; resolves to nothing where that cannot be known, the check `profile` says why. */
  forecast: () => Promise<Forecast | undefined>;
  /** The folder of the profile's results. */
  outputs: string;
  cache: string;
  mirror: string | undefined;
  offline: boolean;
}

/** One thing to look at; its failure and its silence become lines. */
export interface Check {
  /** As in the report. */
  name: string;
  /** What it does, for who waits: "opening each backend". */
  doing: string;
  /** Milliseconds after which it is given up. */
  timeout: number;
  /** Whether its failure or silence means that nothing can run. */
  vital: boolean;
  run: (context: Context) => Promise<Line[]>;
}
