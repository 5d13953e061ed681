/**
 * @module Process entry of one of several load generators: makes its share of a cell's load when told to,
 * keeps its own record, and ends with its parent.
 */
import type { Clock } from "#kit/clock.ts";
import { describeError } from "#kit/errors.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng } from "#kit/prng.ts";
import type { Platform } from "#harness/faas/port.ts";
import { createPlatform } from "#harness/faas/registry.ts";
import { connectLocalPlatform } from "#harness/faas/local/connect.ts";
import { writeHistogramLog } from "#harness/metrics/histogram.ts";
import { writeGeneratorRecord } from "#harness/record/generator-record.ts";
import { openWorkload } from "#workloads/registry.ts";
import { OwnGenerator } from "../generators.ts";
import { invocationLatencyOf } from "../invocation-latency.ts";
import type { MemberCommand, MemberConfig, MemberMessage } from "./messages.ts";

const progressEveryMs = 200;
const clock: Clock = createSystemClock({ precise: true });
const stop = new AbortController();

interface Opened {
  readonly config: MemberConfig;
  readonly platform: Platform;
  readonly generator: OwnGenerator;
}

let opened: Opened | undefined;
let ended: [number, number][] = [];

// Ctrl-C reaches the whole group; the parent decides when this ends.
process.on("SIGINT", () => {});
process.on("disconnect", () => process.exit(0));
process.on("message", (message) => {
  void perform(message as MemberCommand);
});

async function perform(command: MemberCommand): Promise<void> {
  try {
    if (command.kind === "stop") stop.abort();
    else if (command.kind === "open") {
      opened = await open(command.config);
      say({ kind: "done" });
    } else if (opened !== undefined) say(await performWith(opened, command));
  } catch (error) {
    say({ kind: "failed", message: describeError(error) });
  }
}

async function performWith(
  { generator, platform, config }: Opened,
  command: Exclude<MemberCommand, { kind: "open" | "stop" }>,
): Promise<MemberMessage> {
  if (command.kind === "warm-up") {
    await generator.warmUp();
    return { kind: "done" };
  }
  if (command.kind === "finish") {
    await writeGeneratorRecord(config.directory, await generator.finish());
    await platform.close();
    return { kind: "done" };
  }
  const before = await platform.stats();
  const timer = setInterval(sayProgress, progressEveryMs);
  const { startUs, endUs, generators } = await generator.block(command.block, command.originUs);
  clearInterval(timer);
  sayProgress();
  const after = await platform.stats();
  const [own] = generators;
  if (own === undefined) throw new RangeError("a generator always reports on itself");
  const { watch, lateness, cores, open: counts } = own;
  const span = { tag: "dispatch-lateness-us", startMs: 0, endMs: 0 };
  return {
    kind: "block-done",
    startUs,
    endUs,
    watch,
    lateness: writeHistogramLog([{ ...span, histogram: lateness }], 0),
    cores,
    ...(counts !== undefined && { open: counts }),
    platform: {
      coldStarts: after.coldStarts - before.coldStarts,
      invocations: after.invocations - before.invocations,
    },
  };
}

async function open(config: MemberConfig): Promise<Opened> {
  const { load, seed, share, functionName, scope } = config;
  const workload = await openWorkload({ ...config.workload, seed });
  const platform = await openPlatform(config);
  const generator = new OwnGenerator({
    load,
    seed,
    share,
    context: {
      platform,
      functionName,
      scope,
      clock,
      workload,
      valueBytes: workload.valueBytes,
      signal: stop.signal,
    },
    onRequest: ({ dueUs, endUs }) => {
      ended.push([dueUs, endUs]);
    },
  });
  return { config, platform, generator };
}

async function openPlatform({ platform, seed, share }: MemberConfig): Promise<Platform> {
  const { name, invocation, endpoint, functions } = platform;
  // Its own draws: members with the same ones would be slow in step.
  const latency = invocationLatencyOf(invocation, createPrng(seed).fork(`member ${share.index}`));
  const options = { clock, ...latency };
  if (endpoint !== undefined) return connectLocalPlatform({ ...options, endpoint });
  const own = await createPlatform(name, options);
  await own.deploy(functions);
  return own;
}

function sayProgress(): void {
  if (ended.length === 0) return;
  say({ kind: "progress", ended });
  ended = [];
}

function say(message: MemberMessage): void {
  process.send?.(message);
}
