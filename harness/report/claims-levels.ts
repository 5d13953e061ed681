/**
 * @module The paper's claims about caching, the share of reads and the length of a transaction
 * (Fig. 4 to Fig. 6), as predicates over ratios.
 */
import type { ClaimVerdict, RunSummary, SuiteResult } from "#harness/record/run.ts";
import { storeName } from "./format.ts";

type Suite = Pick<SuiteResult, "runs">;

export const levelClaims: readonly ((suite: Suite) => ClaimVerdict)[] = [
  cacheSaves({ id: "fig4-dynamodb-cache", store: "dynamodb", paper: [0.86, 0.91], atMost: 0.95 }),
  cacheSaves({ id: "fig4-redis-cache", store: "elasticache", paper: [0.95, 0.97], atMost: 1.05 }),
  readsDoNotMatter({ id: "fig5-dynamodb-flat", store: "dynamodb", paper: 1.08 }),
  readsDoNotMatter({ id: "fig5-redis-flat", store: "elasticache", paper: 1.07 }),
  linearInFunctions({ id: "fig6-dynamodb-linear", store: "dynamodb", paper: 6.2 }),
  linearInFunctions({ id: "fig6-redis-linear", store: "elasticache", paper: 8.9 }),
];

/** Medians of one experiment over one service, by level, of those runs whose sample supports one. */
function mediansOf(
  { runs }: Suite,
  wanted: { readonly experiment: string; readonly store: string; readonly system?: string },
  levelOf: (run: RunSummary) => number,
): ReadonlyMap<number, number> {
  const { experiment, store, system = "aft" } = wanted;
  const medians = new Map<number, number>();
  for (const run of runs) {
    const { p50 } = run.responseTimeUs;
    if (run.experiment !== experiment || storeName(run.cell) !== store) continue;
    if (run.cell.system === system && typeof p50 === "number") medians.set(levelOf(run), p50);
  }
  return medians;
}

/** The median with the cache over that without, at every skew. */
function cacheSaves(options: {
  readonly id: string;
  readonly store: string;
  readonly paper: readonly [least: number, most: number];
  readonly atMost: number;
}): (suite: Suite) => ClaimVerdict {
  const { id, store, paper, atMost } = options;
  return (suite) => {
    const at = (system: string): ReadonlyMap<number, number> =>
      mediansOf(suite, { experiment: "caching-skew", store, system }, ({ cell }) => cell.zipfTheta);
    const without = at("aft-no-cache");
    const ratios = [...at("aft")].flatMap(([theta, median]) => {
      const other = without.get(theta);
      return other === undefined ? [] : [median / other];
    });
    const worst = Math.max(...ratios);
    return {
      id,
      text: `over ${store} (emulated) the median with the data cache is at most ${atMost}x that without, at every skew`,
      source: "Figure 4",
      paper: paper.join(" to "),
      ours: ratios.length === 0 ? null : ratios.map(round).join(", "),
      verdict:
        ratios.length === 0 ? "not-testable" : worst <= atMost ? "reproduced" : "not-reproduced",
    };
  };
}

/**
 * Slowest share of reads over the fastest. Read-only transactions are left out: the paper's write a
 * commit record, ours do not.
 */
function readsDoNotMatter(options: {
  readonly id: string;
  readonly store: string;
  readonly paper: number;
}): (suite: Suite) => ClaimVerdict {
  const { id, store, paper } = options;
  return (suite) => {
    const medians = [
      ...mediansOf(suite, { experiment: "read-share", store }, ({ cell }) =>
        Number(cell["readPercent"]),
      ),
    ].filter(([share]) => share < 100);
    const values = medians.map(([, median]) => median);
    const ours = values.length < 2 ? null : round(Math.max(...values) / Math.min(...values));
    return {
      id,
      text: `over ${store} (emulated) the share of reads changes the median by less than 15 % (0 to 80 % reads)`,
      source: "Figure 5",
      paper,
      ours,
      verdict: ours === null ? "not-testable" : ours <= 1.15 ? "reproduced" : "not-reproduced",
    };
  };
}

/** Ten functions over one: within a quarter of the paper's ratio, and each step about as large. */
function linearInFunctions(options: {
  readonly id: string;
  readonly store: string;
  readonly paper: number;
}): (suite: Suite) => ClaimVerdict {
  const { id, store, paper } = options;
  return (suite) => {
    const medians = mediansOf(suite, { experiment: "transaction-length", store }, ({ cell }) =>
      Number(cell["functions"]),
    );
    const [one, ten] = [medians.get(1), medians.get(10)];
    const ours = one === undefined || ten === undefined ? null : round(ten / one);
    return {
      id,
      text: `over ${store} (emulated) ten functions take ${paper}x as long as one (±25 %)`,
      source: "Figure 6",
      paper,
      ours,
      verdict:
        ours === null
          ? "not-testable"
          : ours >= paper * 0.75 && ours <= paper * 1.25
            ? "reproduced"
            : "not-reproduced",
    };
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
