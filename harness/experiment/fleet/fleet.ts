/**
 * @module Load from several processes: started, told to begin together, and merged into one record.
 *
 * Invariants:
 *   F1  What is offered does not depend on the number of processes (`drive.ts` deals it out).
 *   F2  Histograms are merged by adding up records, never percentiles.
 *   F3  A process that ends early makes the run invalid: what it had recorded is lost, and said to be.
 *   F4  No process outlives `close`, nor the suite.
 */
import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Clock } from "#kit/clock.ts";
import { ProjectError } from "#kit/errors.ts";
import { LatencyHistogram, readHistogramLog } from "#harness/metrics/histogram.ts";
import type { AttemptRecord } from "#harness/record/attempts.ts";
import { generatorDirectory, readGeneratorRecord } from "#harness/record/generator-record.ts";
import type { LoadBlock, LoadGenerators, LoadRecord } from "../generators.ts";
import type { MemberBlock, MemberCommand, MemberConfig, MemberMessage } from "./messages.ts";

const memberPath = fileURLToPath(import.meta.resolve("#harness/experiment/fleet/member.ts"));

/** From the command to the first due time: messages of several processes must have arrived. */
const leadUs = 50_000;
/** A member that has not written its record by then has failed. */
const finishPatienceMs = 60_000;

/** A generator process ended or failed before it could begin. */
export class GeneratorProcessError extends ProjectError {
  readonly code = "generator_process";
  readonly disposition = "abort";
}

export interface FleetOptions {
  readonly config: Omit<MemberConfig, "share" | "directory">;
  /** The run's. */
  readonly directory: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onRequest: (ended: Pick<AttemptRecord, "dueUs" | "endUs">) => void;
}

/** Starts the processes; rejects when one cannot open its workload or platform. */
export async function startFleet(options: FleetOptions): Promise<LoadGenerators> {
  const { config, directory, signal } = options;
  const of = config.load.generators ?? 1;
  const members = Array.from({ length: of }, (_unused, index) => new Member(index, of, options));
  const fleet = new Fleet(members, options);
  const stop = (): void => {
    for (const member of members) member.tell({ kind: "stop" });
  };
  signal.addEventListener("abort", stop);
  const opening = members.map((member, index) => {
    const share = { index, of };
    return member.ask({
      kind: "open",
      config: { ...config, share, directory: join(directory, generatorDirectory(index)) },
    });
  });
  try {
    await Promise.all(opening);
  } catch (error) {
    await Promise.allSettled(opening);
    await fleet.close();
    throw error;
  }
  return fleet;
}

class Fleet implements LoadGenerators {
  readonly pids: readonly number[];
  readonly #members: readonly Member[];
  readonly #options: FleetOptions;

  constructor(members: readonly Member[], options: FleetOptions) {
    this.#members = members;
    this.#options = options;
    this.pids = members.flatMap(({ pid }) => pid ?? []);
  }

  async warmUp(): Promise<void> {
    await this.#askAll({ kind: "warm-up" });
  }

  async block(block: number): Promise<LoadBlock | undefined> {
    if (this.problems().length > 0) return undefined;
    const originUs = this.#options.clock.monotonicUs() + leadUs;
    const answers = await this.#askAll({ kind: "block", block, originUs });
    const blocks = answers.filter((answer) => answer.kind === "block-done");
    if (blocks.length === 0) return undefined;
    return {
      startUs: Math.min(...blocks.map(({ startUs }) => startUs)),
      endUs: Math.max(...blocks.map(({ endUs }) => endUs)),
      generators: blocks.map(({ watch, lateness, cores, open }) => ({
        watch,
        lateness: decode(lateness),
        cores,
        ...(open !== undefined && { open }),
      })),
      elsewhere: sumOfPlatforms(blocks),
    };
  }

  /** Of each process in its own order, so that the order within a session is kept. */
  async finish(): Promise<LoadRecord> {
    const { directory } = this.#options;
    await this.#askAll({ kind: "finish" }, finishPatienceMs);
    const record: LoadRecord = { attempts: [], transactions: [] };
    for (const [index, member] of this.#members.entries()) {
      if (member.problem !== undefined) continue;
      const own = await readGeneratorRecord(join(directory, generatorDirectory(index)));
      for (const attempt of own.attempts) record.attempts.push(attempt);
      for (const transaction of own.transactions) record.transactions.push(transaction);
    }
    record.attempts.sort((a, b) => a.endUs - b.endUs);
    return record;
  }

  problems(): readonly string[] {
    return this.#members.flatMap(({ problem }) => problem ?? []);
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.close()));
  }

  /** Those of the members that lived to answer. */
  async #askAll(command: MemberCommand, patienceMs?: number): Promise<MemberMessage[]> {
    const asked = this.#members
      .filter(({ problem }) => problem === undefined)
      .map((member) => member.ask(command, patienceMs));
    const settled = await Promise.allSettled(asked);
    return settled.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  }
}

/** One process, asked one thing at a time. */
class Member {
  /** Why it cannot be used any more, as `code: sentence`. */
  problem: string | undefined;
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #exited: Promise<void>;
  #answered: (message: MemberMessage) => void = () => {};
  #gone: () => void = () => {};

  constructor(index: number, of: number, { onRequest }: FleetOptions) {
    this.#name = `load process ${index + 1} of ${of}`;
    this.#child = fork(memberPath, [], {
      execArgv: [],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#exited = new Promise((resolve) => {
      this.#child.on("exit", (code, signal) => {
        this.problem ??= `generator-died: ${this.#name} ended with ${signal ?? `exit code ${code}`}; what it had recorded is lost`;
        this.#gone();
        resolve();
      });
    });
    // A message to a member that has just died is answered by its exit.
    this.#child.on("error", () => {});
    this.#child.on("message", (raw) => {
      const message = raw as MemberMessage;
      if (message.kind !== "progress") this.#answered(message);
      else for (const [dueUs, endUs] of message.ended) onRequest({ dueUs, endUs });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  tell(command: MemberCommand): void {
    if (this.#child.connected) this.#child.send(command, () => {});
  }

  /** Rejects with the problem when it cannot answer any more. */
  ask(command: MemberCommand, patienceMs?: number): Promise<MemberMessage> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const fail = (): void => {
        clearTimeout(timer);
        reject(new GeneratorProcessError(this.problem ?? `${this.#name} is gone`));
      };
      this.#gone = fail;
      this.#answered = (message) => {
        clearTimeout(timer);
        if (message.kind !== "failed") resolve(message);
        else {
          this.problem ??= `generator-failed: ${this.#name}: ${message.message}`;
          fail();
        }
      };
      if (this.problem !== undefined) {
        fail();
        return;
      }
      if (patienceMs !== undefined)
        timer = setTimeout(() => {
          this.problem ??= `generator-failed: ${this.#name} did not answer within ${patienceMs} ms`;
          fail();
        }, patienceMs);
      this.tell(command);
    });
  }

  async close(): Promise<void> {
    // Its end is what was asked for, and no problem.
    this.problem ??= `generator-closed: ${this.#name} was closed`;
    this.#child.kill("SIGKILL");
    await this.#exited;
  }
}

function decode(log: string): LatencyHistogram {
  const merged = new LatencyHistogram();
  for (const histogram of readHistogramLog(log).values()) merged.merge(histogram);
  return merged;
}

function sumOfPlatforms(blocks: readonly MemberBlock[]): LoadBlock["elsewhere"] {
  return {
    coldStarts: blocks.reduce((sum, { platform }) => sum + platform.coldStarts, 0),
    invocations: blocks.reduce((sum, { platform }) => sum + platform.invocations, 0),
  };
}
