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
  "shim/state": [
    "shim/direct",
    "shim/aft/client",
    "shim/redis-multi",
    "shim/redis-occ",
    "shim/step-log",
    "shim/postgres",
    "shim/dbos",
    "shim/etcd",
    "shim/dynamodb-txn",
    "shim/powertools-idempotency",
    "shim/restate",
    "shim/durable-objects",
  ],
  "shim/direct": ["shim/state", "shim/storage"],
  "shim/redis": ["shim/state", "shim/storage"],
  "shim/redis-multi": ["shim/redis", "shim/state"],
  "shim/redis-occ": ["shim/redis", "shim/state"],
  "shim/dynamodb-txn": ["shim/state", "shim/storage"],
  "shim/powertools-idempotency": ["shim/state", "shim/storage"],
  "shim/step-log": ["shim/redis", "shim/state"],
  "shim/postgres": ["shim/state", "shim/storage"],
  "shim/dbos": ["shim/postgres", "shim/state", "shim/storage"],
  "shim/etcd": ["shim/state", "shim/storage"],
  "shim/objects": ["shim/state", "shim/storage"],
  "shim/restate": ["shim/objects", "shim/state"],
  "shim/durable-objects": ["shim/objects", "shim/state"],
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
  // Of services only where a child can listen.
  "harness/faas": ["harness/services/free-port.ts"],
  // Of functions only what can happen to them.
  "harness/faults": ["harness/faas", "workloads/functions"],
  "harness/services": [
    "shim/storage",
    "shim/objects",
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
  "harness/sim": ["shim", "workloads", "harness/checker", "harness/record", "harness/stats"],
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

/** Code whose time and randomness come through ports. */
export const portedLayers: readonly string[] = ["harness/loadgen"];

export const bannedInPortedLayers: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/\bDate\.now\b|\bperformance\.now\b|\bhrtime\b/, "the `Clock`"],
  [/\bMath\.random\b|\brandomUUID\b/, "the `Prng`"],
  [/\bset(Timeout|Interval|Immediate)\b/, "the `Clock`"],
  [/\bprocess\.(env|argv|exit|cwd)\b/, "an option"],
];

/**
 * What also runs under the simulator, where one instant must follow from another and from nothing else.
 * The protocol does too, and keeps the stricter rules of pure layers.
 */
export const simulatedLayers: readonly string[] = [
  "shim/aft/replica",
  "shim/aft/cluster",
  "shim/aft/client",
  "shim/direct",
  "shim/storage/counted.ts",
  "shim/storage/seal-in-two-steps.ts",
  "workloads/functions/body.ts",
  "harness/sim",
];

/** Where the real world is let in; the simulator has something else in their places. */
export const adapterFiles: readonly string[] = [
  "shim/aft/client/connection.ts",
  "shim/aft/client/pool.ts",
  "shim/aft/client/utilisation.ts",
  "shim/aft/client/system.ts",
  "shim/direct/system.ts",
  "harness/sim/loop.ts",
  "harness/sim/bug-base.ts",
  "harness/sim/scale/apart.ts",
  "harness/sim/scale/apart-process.ts",
  "harness/sim/scale/calibrate.ts",
];

export const bannedInSimulatedLayers: readonly (readonly [pattern: RegExp, instead: string])[] = [
  ...bannedInPortedLayers,
  [/\bnew Date\b|\bnextTick\b|\bqueueMicrotask\b/, "the `Clock`"],
  [/\bgetRandomValues\b|\brandomBytes\b/, "the `Prng`"],
  [/\bfrom "(node:|ioredis|lmdb|@aws-sdk)/, "a port, with its adapter outside this layer"],
  [
    /(?<![#.\w])fetch\(|\bnew (Worker|WebSocket|MessageChannel|FinalizationRegistry|WeakRef)\b/,
    "a port",
  ],
];

/** Everywhere: the suite serves loopback only. */
export const bannedEverywhere: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/["'`]0\.0\.0\.0["'`]|["'`]::["'`]/, "127.0.0.1 or a Unix socket"],
  [/\bFIXME\b/, "mend it before it is merged"],
];

export const maxFileLines = 400;
export const bannedFolderNames: readonly string[] = ["src", "lib", "utils", "common", "helpers"];
