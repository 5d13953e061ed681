/** @module What a run will cost and has cost, by the price table. Pure. */
import { lambdaPrices } from "./prices.ts";
import type { LambdaSettings } from "./settings.ts";

type Sized = Pick<LambdaSettings, "memoryMiB" | "architecture" | "provisionedConcurrency">;

export interface PlannedLoad {
  readonly invocations: number;
  /** Expected time of one, billed. */
  readonly billedMs: number;
  /** How long provisioned instances stand ready. */
  readonly seconds: number;
}

export function estimateCostUsd(settings: Sized, load: PlannedLoad): number {
  const { architecture, memoryMiB, provisionedConcurrency = 0 } = settings;
  const provisionedGibSeconds = (provisionedConcurrency * load.seconds * memoryMiB) / 1_024;
  return (
    load.invocations * invocationCostUsd(settings, load.billedMs) +
    provisionedGibSeconds * lambdaPrices.usdPerProvisionedGibSecond[architecture]
  );
}

function invocationCostUsd({ architecture, memoryMiB }: Sized, billedMs: number): number {
  const gibSeconds = (Math.ceil(billedMs) / 1_000) * (memoryMiB / 1_024);
  return lambdaPrices.usdPerRequest + gibSeconds * lambdaPrices.usdPerGibSecond[architecture];
}

/** Adds up; invocations under way count as long as the function may run, so the ceiling holds. */
export class CostMeter {
  readonly #settings: Sized;
  readonly #ceilingUsd: number;
  #spentUsd = 0;
  #reservedUsd = 0;

  constructor(settings: Sized & { readonly maxCostUsd: number }) {
    this.#settings = settings;
    this.#ceilingUsd = settings.maxCostUsd;
  }

  get spentUsd(): number {
    return this.#spentUsd;
  }

  /** Reserves the most an invocation can cost; undefined: that would pass the ceiling. */
  reserve(timeoutMs: number): { readonly settle: (billedMs: number) => void } | undefined {
    const mostUsd = invocationCostUsd(this.#settings, timeoutMs);
    if (this.#spentUsd + this.#reservedUsd + mostUsd > this.#ceilingUsd) return undefined;
    this.#reservedUsd += mostUsd;
    return {
      settle: (billedMs) => {
        this.#reservedUsd -= mostUsd;
        this.#spentUsd += invocationCostUsd(this.#settings, billedMs);
      },
    };
  }
}
