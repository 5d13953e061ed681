/**
 * @module Who may import whom: the left side may import the right side, itself and `shim/kit`.
 *
 * The most specific left side that contains a file decides. Tests may import anything but `bench`.
 * Checked by `tidy.test.ts`, drawn in ARCHITECTURE.md. Loosening a line needs its reason in the
 * commit message.
 */
export const mayImport: Readonly<Record<string, readonly string[]>> = {
  "shim/kit": [],
  "shim/storage": [],
  "shim/state": ["shim/direct", "shim/aft/client"],
  "shim/direct": ["shim/state", "shim/storage"],
  "shim/aft/protocol": ["shim/storage"],
  "shim/aft/replica": ["shim/aft/protocol", "shim/storage"],
  "shim/aft/cluster": ["shim/aft/protocol", "shim/aft/replica", "shim/storage"],
  "shim/aft/server": ["shim/aft/cluster", "shim/aft/protocol", "shim/aft/replica", "shim/storage"],
  "shim/aft/deploy": ["shim/aft/server", "shim/storage"],
  "shim/aft/client": ["shim/state"],
  workloads: [],
  "workloads/functions": ["workloads", "shim/state", "harness/faas", "harness/record"],
  "harness/stats": [],
  // Never shim: shared code would share its bugs. Keys of generated histories are drawn like all others.
  "harness/checker": ["harness/record", "harness/stats", "workloads/keys"],
  "harness/metrics": ["harness/record", "harness/stats"],
  "harness/record": ["harness/metrics", "harness/checker", "harness/stats"],
  "harness/faas": [],
  "harness/faults": ["harness/faas"],
  "harness/services": [
    "shim/storage",
    "shim/aft/replica",
    "shim/aft/cluster",
    "shim/aft/server/access",
  ],
  "harness/loadgen": ["workloads", "shim/state", "harness/faas", "harness/record"],
  // Of gate only the trends it draws.
  "harness/report": ["harness/gate", "harness/record", "harness/stats", "results"],
  "harness/calibrate": [
    "workloads",
    "harness/faas",
    "harness/loadgen",
    "harness/metrics",
    "harness/record",
    "harness/services",
    "harness/stats",
  ],
  "harness/gate": ["harness/record", "harness/stats"],
  "harness/experiment": ["shim", "workloads", "harness"],
  bench: ["shim", "workloads", "harness", "results"],
  results: [],
};

/** Layers whose answers depend on their arguments alone. */
export const pureLayers: readonly string[] = [
  "shim/aft/protocol",
  "workloads/arrivals",
  "workloads/keys",
  "workloads/mixes",
  "harness/checker",
  "harness/stats",
  "harness/gate",
];

/** What breaks purity or replay, and what to use instead. */
export const bannedInPureLayers: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/\bDate\.now\b|\bperformance\.now\b|\bhrtime\b/, "a `now` argument"],
  [/\bMath\.random\b|\brandomUUID\b/, "the `Prng` argument"],
  [/\bset(Timeout|Interval|Immediate)\b|\bqueueMicrotask\b/, "the caller's `Clock`"],
  [/\bprocess\.(env|argv|exit|cwd)\b/, "an argument"],
  [/\bfrom "node:/, "a port, with its adapter outside this layer"],
  [/\basync \b|\bawait\b/, "a synchronous decision; the caller does the waiting"],
];

/** Code that must also run under a simulator: its time and randomness come through ports. */
export const portedLayers: readonly string[] = [
  "shim/aft/replica",
  "shim/aft/cluster",
  "harness/loadgen",
];

export const bannedInPortedLayers: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/\bDate\.now\b|\bperformance\.now\b|\bhrtime\b/, "the `Clock`"],
  [/\bMath\.random\b|\brandomUUID\b/, "the `Prng`"],
  [/\bset(Timeout|Interval|Immediate)\b/, "the `Clock`"],
  [/\bprocess\.(env|argv|exit|cwd)\b/, "an option"],
];

/** Everywhere: the suite serves loopback only. */
export const bannedEverywhere: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/["'`]0\.0\.0\.0["'`]|["'`]::["'`]/, "127.0.0.1 or a Unix socket"],
  [/\bFIXME\b/, "mend it before it is merged"],
];

export const maxFileLines = 400;
export const bannedFolderNames: readonly string[] = ["src", "lib", "utils", "common", "helpers"];
