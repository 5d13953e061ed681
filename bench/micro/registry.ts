/** @module The micro-benchmarks there are: one line each. */
import { checker } from "./checker.ts";
import { drift } from "./drift.ts";
import { generator } from "./generator.ts";
import { idleCluster } from "./idle-cluster.ts";
import { memory } from "./memory.ts";
import type { Micro } from "./micro.ts";
import { parts } from "./parts.ts";
import { shimVsDirect } from "./shim-vs-direct/micro.ts";
import { sim } from "./sim.ts";

export const micros: readonly Micro[] = [
  shimVsDirect,
  parts,
  generator,
  checker,
  memory,
  drift,
  idleCluster,
  sim,
];
