/** @module The micro-benchmarks there are: one line each. */
import type { Micro } from "./micro.ts";
import { generator } from "./generator.ts";
import { shimVsDirect } from "./shim-vs-direct.ts";

export const micros: readonly Micro[] = [shimVsDirect, generator];
