/** @module Emulated latency of an invocation, laid over a platform. */
import type { Prng } from "#kit/prng.ts";
import type { InvocationLatency } from "#harness/faas/inline/platform.ts";
import { invocationProfiles, sampleUs } from "#shim/storage/emulated/profiles.ts";
import type { CellPlan } from "./define.ts";

/** The emulated latency of invocations as an option of a platform; none for `none`. */
export function invocationLatencyOf(
  invocation: CellPlan["platform"]["invocation"],
  prng: Prng,
): { readonly invocationLatency?: InvocationLatency } {
  if (invocation === "none") return {};
  const { shape, source } = invocationProfiles[invocation];
  return {
    invocationLatency: {
      sampleUs: () => sampleUs(shape, prng),
      description: { name: invocation, ...shape, source },
    },
  };
}
