/**
 * Goal    The systems on PostgreSQL keep the state contract, and each level forbids what it is chosen for and no
 *         more; a function that dies, and an answer that is lost, leave what the module says.
 * Method  One real server; two transactions in the orders that break weaker levels; a relay that swallows answers.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ConfigError } from "#kit/errors.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { describeContract } from "#kit/testing/describe-contract.ts";
import { startPostgresBroker, type BrokerService } from "#harness/services/postgres-broker.ts";
import { type PostgresService, startPostgres } from "#harness/services/postgres.ts";
import { hasPostgres, postgresMissing } from "#harness/services/testing.ts";
import { type Relay, startRelay } from "#harness/services/testing/relay.ts";
import type { CommitOutcome, StateSession, StateSystem } from "#shim/state/port.ts";
import { loadStateSystem, openStateSystem } from "#shim/state/registry.ts";
import { openStateContract, stateContract } from "#shim/state/state.contract.ts";

const clock = createSystemClock();
const dying = fileURLToPath(import.meta.resolve("#shim/state/testing/die-between-writes.ts"));
const levels = ["postgres-rc", "postgres-rr", "postgres-ser"] as const;

describe.skipIf(!hasPostgres())(`PostgreSQL (skipped if ${postgresMissing})`, () => {
  let service: PostgresService;
  let broker: BrokerService;
  const opened: StateSystem[] = [];
  let keys = 0;
  /** A key that nobody has used. */
  const fresh = (): string => `key ${(keys += 1)}`;

  beforeAll(async () => {
    service = await startPostgres();
    broker = await startPostgresBroker({ target: service.target });
  });
  afterAll(async () => {
    for (const system of opened) await system.close();
    await broker.stop();
    await service.stop();
  });

  const optionsOf = (name: string, url = service.url): Record<string, unknown> =>
    name === "postgres-held"
      ? { broker: broker.endpoint }
      : { storage: { target: { engine: "postgres", url } } };

  async function open(name: string, more: Record<string, unknown> = {}): Promise<StateSystem> {
    const system = await openStateSystem({
      system: name,
      options: { ...optionsOf(name), ...more },
    });
    opened.push(system);
    return system;
  }

  // What differs between levels is below.
  for (const name of ["postgres-rc", "postgres-held"])
    describeContract(`state contract: ${name}`, stateContract, async () => {
      const { promises } = await loadStateSystem({ system: name });
      return openStateContract({
        promises,
        clock,
        open: () => openStateSystem({ system: name, options: optionsOf(name) }),
      });
    });

  describe("what a level forbids within a function", () => {
    /** Two transactions read both keys, then each writes one of them. */
    async function skew(name: string): Promise<string[]> {
      const system = await open(name);
      const [x, y] = [fresh(), fresh()];
      await write(system, { [x]: "0", [y]: "0" });
      const [one, two] = [begin(system), begin(system)];
      await one.getMany([x, y]);
      await two.getMany([x, y]);
      await one.put(x, bytes("1"));
      await two.put(y, bytes("1"));
      return endings([one, two]);
    }

    /** Two transactions read a key, and write it one after the other. */
    async function lose(name: string): Promise<string[]> {
      const system = await open(name);
      const key = fresh();
      await write(system, { [key]: "0" });
      const [one, two] = [begin(system), begin(system)];
      await one.get(key);
      await two.get(key);
      await one.put(key, bytes("1"));
      const first = await one.commit();
      const second = await two
        .put(key, bytes("2"))
        .then(async () => kindOf(await two.commit()), codeOf);
      return [kindOf(first), second];
    }

    it("rc: lost updates and write skew happen", async () => {
      expect(await lose("postgres-rc")).toEqual(["committed", "committed"]);
      expect(await skew("postgres-rc")).toEqual(["committed", "committed"]);
    });

    it("rr: an update is not lost, write skew happens", async () => {
      expect(await lose("postgres-rr")).toEqual(["committed", "serialization_failure"]);
      expect(await skew("postgres-rr")).toEqual(["committed", "committed"]);
    });

    it("ser: neither happens, and one of two has to try again", async () => {
      expect(await lose("postgres-ser")).toEqual(["committed", "serialization_failure"]);
      expect(await skew("postgres-ser")).toEqual(["aborted", "committed"].toSorted());
    });

    it.each(["postgres-rr", "postgres-ser"])(
      "%s: a first write that conflicts is sent again unseen, a later one is refused",
      async (name) => {
        const system = await open(name);
        const [key, other] = [fresh(), fresh()];
        const [one, two, three] = [begin(system), begin(system), begin(system)];
        await one.put(key, bytes("1"));
        await three.put(other, bytes("3"));
        // Held back by the first one's lock, and refused by the server when that commits.
        const first = two.put(key, bytes("2"));
        const later = three.put(key, bytes("3")).catch(codeOf);
        await until(async () => (await waiting()) === 2);
        expect(await one.commit()).toMatchObject({ kind: "committed" });
        expect(await later).toBe("serialization_failure");
        await first;
        expect(await two.commit()).toMatchObject({ kind: "committed" });
        expect(await shown(system, [key, other])).toEqual(["2", undefined]);
      },
    );

    it("a deadlock ends with one that commits and one that is to try again", async () => {
      const system = await open("postgres-rc");
      const [x, y] = [fresh(), fresh()];
      await write(system, { [x]: "0", [y]: "0" });
      const [one, two] = [begin(system), begin(system)];
      await one.get(x);
      await two.get(x);
      await one.put(x, bytes("1"));
      await two.put(y, bytes("2"));
      const crossed = await Promise.all(
        [one.put(y, bytes("1")), two.put(x, bytes("2"))].map((call) =>
          call.then(() => "written", codeOf),
        ),
      );
      expect(crossed.toSorted()).toEqual(["deadlock", "written"]);
      expect((await endings([one, two])).toSorted()).toEqual(["aborted", "committed"]);
    });
  });

  describe("a request of two functions", () => {
    it.each(levels)(
      "%s: is torn between them, and an attempt that stops there leaves half",
      async (name) => {
        const system = await open(name);
        const [x, y] = [fresh(), fresh()];
        const first = begin(system);
        await first.put(x, bytes("new"));
        const second = system.resume(await first.suspend());
        expect(await shown(system, [x, y])).toEqual(["new", undefined]);
        await second.put(y, bytes("new"));
        await second.abort();
        expect(await shown(system, [x, y])).toEqual(["new", undefined]);
      },
    );

    it("held: is one transaction, of which nobody sees half", async () => {
      const system = await open("postgres-held");
      const [x, y] = [fresh(), fresh()];
      const first = begin(system);
      await first.put(x, bytes("new"));
      const second = system.resume(await first.suspend());
      await second.put(y, bytes("new"));
      expect(await shown(system, [x, y])).toEqual([undefined, undefined]);
      expect(await second.commit()).toMatchObject({ kind: "committed" });
      expect(await shown(system, [x, y])).toEqual(["new", "new"]);
    });

    it("held: write skew over functions ends with an aborted outcome", async () => {
      const system = await open("postgres-held");
      const [x, y] = [fresh(), fresh()];
      await write(system, { [x]: "0", [y]: "0" });
      const [one, two] = [begin(system), begin(system)];
      await one.getMany([x, y]);
      await two.getMany([x, y]);
      const [nextOne, nextTwo] = [
        system.resume(await one.suspend()),
        system.resume(await two.suspend()),
      ];
      await nextOne.put(x, bytes("1"));
      await nextTwo.put(y, bytes("1"));
      expect((await endings([nextOne, nextTwo])).toSorted()).toEqual(["aborted", "committed"]);
    });

    it("held: a transaction that nobody goes on with is gone, and is not begun again half-way", async () => {
      const own = await startPostgresBroker(
        { target: service.target },
        { idleInTransactionMs: 100 },
      );
      const system = await open("postgres-held", { broker: own.endpoint });
      const [x, y] = [fresh(), fresh()];
      const first = begin(system);
      await first.put(x, bytes("new"));
      const context = await first.suspend();
      await new Promise((resolve) => setTimeout(resolve, 400));
      const second = system.resume(context);
      await expect(second.put(y, bytes("new"))).rejects.toMatchObject({
        code: "transaction_timeout",
        disposition: "retry",
      });
      expect(await second.commit()).toMatchObject({ kind: "aborted" });
      expect(await shown(system, [x, y])).toEqual([undefined, undefined]);
      await system.close();
      await own.stop();
    });
  });

  describe("deaths and lost answers", () => {
    it("a function that is killed between its writes leaves nothing", async () => {
      const system = await open("postgres-rc");
      const [x, y] = [fresh(), fresh()];
      const spec = { system: "postgres-rc", options: optionsOf("postgres-rc") };
      const child = spawn(process.execPath, [dying, JSON.stringify({ spec, key: x })], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await new Promise((resolve) => child.stdout.once("data", resolve));
      child.kill("SIGKILL");
      // Its lock is free again: the server has noticed.
      await write(system, { [y]: "later" });
      expect(await shown(system, [x, y])).toEqual([undefined, "later"]);
      await write(system, { [x]: "later" });
      expect(await shown(system, [x])).toEqual(["later"]);
    });

    it("a function that stands still too long has lost its transaction, and its lock is free", async () => {
      const system = await open("postgres-rc", { idleInTransactionMs: 100 });
      const key = fresh();
      const session = begin(system);
      await session.put(key, bytes("half"));
      await new Promise((resolve) => setTimeout(resolve, 400));
      await expect(session.get(key)).rejects.toMatchObject({ code: "transaction_timeout" });
      expect(await session.commit()).toMatchObject({ kind: "aborted" });
      await write(system, { [key]: "other" });
      expect(await shown(system, [key])).toEqual(["other"]);
    });

    describe("behind a relay that loses the answer to a commit", () => {
      let relay: Relay;
      let system: StateSystem;
      beforeEach(async () => {
        relay = await startRelay(service.port);
        const url = service.url.replace(String(service.port), String(relay.port));
        system = await open("postgres-rc", optionsOf("postgres-rc", url));
        return () => relay.stop();
      });

      it("the session finds out that it has committed", async () => {
        const key = fresh();
        const session = begin(system);
        await session.put(key, bytes("once"));
        relay.loseAnswers();
        expect(await session.commit()).toEqual({ kind: "committed" });
        expect(await shown(await open("postgres-rc"), [key])).toEqual(["once"]);
      });

      it("the next attempt is told who committed; its first function has written again", async () => {
        const [x, y] = [fresh(), fresh()];
        const requestId = `request ${fresh()}`;
        const attempt = async (over: StateSystem, value: string) => {
          const first = over.begin({ requestId });
          await first.put(x, bytes(value));
          const second = over.resume(await first.suspend());
          await second.put(y, bytes(value));
          return second;
        };
        const lost = await attempt(system, "first");
        expect(await lost.commit()).toEqual({ kind: "committed" });
        const other = await open("postgres-rc");
        const again = await attempt(other, "again");
        expect(await again.commit()).toEqual({
          kind: "committed",
          committedBy: lost.transactionId,
        });
        expect(await shown(other, [x, y])).toEqual(["again", "first"]);
        const { transactionId } = again;
        const context = { system: other.name, requestId, transactionId, carried: {} };
        expect(await other.outcomeOf(context)).toEqual({
          kind: "committed",
          committedBy: lost.transactionId,
        });
      });
    });

    it("a server that was killed is told apart from a refusal, and used again when it is back", async () => {
      const system = await open("postgres-rc");
      const key = fresh();
      const session = begin(system);
      await session.put(key, bytes("half"));
      await service.kill();
      await expect(session.get(key)).rejects.toMatchObject({
        code: "storage_unavailable",
        disposition: "retry",
      });
      await service.restart();
      expect(await shown(system, [key])).toEqual([undefined]);
    });
  });

  it("more transactions than connections wait, and all commit", async () => {
    const system = await open("postgres-rc", { maxConnections: 2 });
    const all = Array.from({ length: 12 }, () => write(system, { [fresh()]: "v" }));
    expect((await Promise.all(all)).map(kindOf)).toEqual(
      Array.from({ length: 12 }, () => "committed"),
    );
    expect(await counted("state LIKE 'idle in%'")).toBe(0);
  });

  it("what cannot be stored is refused for good, and what is no PostgreSQL before that", async () => {
    const system = await open("postgres-rc");
    await expect(begin(system).put("k".repeat(1_000_000), bytes("v"))).rejects.toMatchObject({
      code: "limit_exceeded",
      disposition: "abort",
    });
    const memory = openStateSystem({
      system: "postgres-rc",
      options: { storage: { target: { engine: "memory" } }, maxConnections: 0 },
    });
    await expect(memory).rejects.toThrow(ConfigError);
    await expect(memory).rejects.toThrow(/PostgreSQL, not on memory[\s\S]*maxConnections/);
    const nobody = openStateSystem({
      system: "postgres-rc",
      options: optionsOf("postgres-rc", "postgres://aft_bench@127.0.0.1:1/none"),
    });
    await expect(nobody).rejects.toMatchObject({ code: "storage_unavailable" });
  });

  /** Connections of the systems. */
  async function counted(condition: string): Promise<number> {
    const client = new Client({ connectionString: service.url });
    await client.connect();
    const { rows } = await client.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'aft-bench' AND ${condition}`,
    );
    await client.end();
    return rows[0]?.n ?? 0;
  }

  /** Transactions that wait for the lock of another. */
  function waiting(): Promise<number> {
    return counted("wait_event_type = 'Lock'");
  }

  function begin(system: StateSystem): StateSession {
    return system.begin({ requestId: `request ${fresh()}` });
  }

  async function write(
    system: StateSystem,
    values: Readonly<Record<string, string>>,
  ): Promise<CommitOutcome> {
    const session = begin(system);
    for (const [key, value] of Object.entries(values)) await session.put(key, bytes(value));
    return session.commit();
  }

  async function shown(
    system: StateSystem,
    names: readonly string[],
  ): Promise<(string | undefined)[]> {
    const session = begin(system);
    const values = await session.getMany(names);
    await session.commit();
    return values.map((value) => (value === undefined ? undefined : Buffer.from(value).toString()));
  }

  async function endings(sessions: readonly StateSession[]): Promise<string[]> {
    const kinds: string[] = [];
    for (const session of sessions) kinds.push(kindOf(await session.commit()));
    return kinds.toSorted();
  }
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  await expect.poll(condition, { timeout: 5_000 }).toBe(true);
}

function bytes(text: string): Buffer {
  return Buffer.from(text);
}

function kindOf({ kind }: CommitOutcome): string {
  return kind;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
