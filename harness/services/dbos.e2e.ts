/**
 * Goal    `dbos` keeps the state contract; a function that dies is done once, by the next attempt.
 * Method  The contract over a real PostgreSQL, at two isolation levels; functions that really die; attempts that
 *         are slow and find their function taken over; a relay that swallows
 *         the answer to a commit.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StateSystem } from "#shim/state/port.ts";
import { openStateSystem } from "#shim/state/registry.ts";
import { type PostgresService, startPostgres } from "./postgres.ts";
import { hasPostgres, postgresMissing } from "./testing.ts";
import { type Relay, startRelay } from "./testing/relay.ts";
import { describeOptional } from "./testing/describe-optional.ts";
import { describeSystem, overStore } from "./testing/describe-system.ts";

const system = "dbos";
const dying = fileURLToPath(import.meta.resolve("#shim/state/testing/die-between-writes.ts"));

describe.skipIf(!hasPostgres())(`over PostgreSQL (skipped if ${postgresMissing})`, async () => {
  await describeOptional(system, () => {
    describeSystem(system, () => startPostgres(), overStore(system));
    describeSystem(
      `${system}, serializable`,
      () => startPostgres(),
      overStore(system, { isolation: "SERIALIZABLE" }),
    );

    describe("functions that die, are slow, give up, or are not answered", () => {
      let store: PostgresService;
      let relay: Relay;
      let opened: StateSystem;
      beforeAll(async () => {
        store = await startPostgres();
        relay = await startRelay(store.port);
        const url = store.url.replace(String(store.port), String(relay.port));
        opened = await openStateSystem(specOf(url));
      });
      afterAll(async () => {
        await opened.close();
        await relay.stop();
        await store.stop();
      });
      const specOf = (url: string) => ({
        system,
        options: { storage: { target: { engine: "postgres", url } }, takeOverMs: 200 },
      });

      it("a function that died between its writes has left nothing, and is taken over", async () => {
        const child = spawn(
          process.execPath,
          [dying, JSON.stringify({ spec: specOf(store.url), key: "half" })],
          { stdio: ["ignore", "pipe", "inherit"] },
        );
        await new Promise((resolve) => child.stdout.once("data", resolve));
        child.kill("SIGKILL");
        expect(await shown("half")).toBeUndefined();
        const next = opened.begin({ requestId: "dies" });
        expect(await next.put("half", Buffer.from("whole"))).toBeUndefined();
        expect(await next.commit()).toEqual({ kind: "committed" });
        expect(await shown("half")).toBe("whole");
      });

      it("a function that is done is passed over: it reads what it read, and writes nothing", async () => {
        await write("read", "old");
        const attempt = async (value: string) => {
          const first = opened.begin({ requestId: "passed over" });
          const read = textOf(await first.get("read"));
          const put = await first.put("written", Buffer.from(value));
          return { read, put, context: await first.suspend() };
        };
        expect(await attempt("first")).toMatchObject({ read: "old", put: undefined });
        await write("read", "new");
        await write("written", "another's");
        const again = await attempt("again");
        expect(again).toMatchObject({ read: "old", put: "replayed" });
        expect(await shown("written")).toBe("another's");
        const last = opened.resume(again.context);
        await last.put("last", Buffer.from("done"));
        expect(await last.commit()).toEqual({ kind: "committed" });
      });

      it("an attempt that is only slow loses its function to the next one, and leaves nothing of its own", async () => {
        const slow = opened.begin({ requestId: "slow" });
        await slow.put("slow's", Buffer.from("slow"));
        const next = opened.begin({ requestId: "slow" });
        expect(await next.put("next's", Buffer.from("next"))).toBeUndefined();
        const answers = await Promise.all([next.commit(), slow.commit()]);
        expect(answers).toEqual([
          { kind: "committed" },
          { kind: "committed", committedBy: next.transactionId },
        ]);
        expect([await shown("slow's"), await shown("next's")]).toEqual([undefined, "next"]);
      });

      it("a function that was given up is begun anew by the next attempt, at once", async () => {
        const first = opened.begin({ requestId: "given up" });
        await first.put("given up", Buffer.from("half"));
        await first.abort();
        expect(await shown("given up")).toBeUndefined();
        const next = opened.begin({ requestId: "given up" });
        expect(await next.put("given up", Buffer.from("whole"))).toBeUndefined();
        const context = await next.suspend();
        expect(await opened.outcomeOf(context)).toMatchObject({ kind: "unknown" });
        expect(await opened.resume(context).commit()).toEqual({ kind: "committed" });
        expect(await shown("given up")).toBe("whole");
        expect(await opened.outcomeOf(context)).toEqual({ kind: "committed" });
      });

      it("an answer to a commit that is lost is found out, and the next attempt does nothing", async () => {
        const first = opened.begin({ requestId: "lost" });
        await first.put("lost", Buffer.from("once"));
        relay.loseAnswerTo("COMMIT");
        expect(await first.commit()).toEqual({ kind: "committed" });
        await write("lost", "another's");
        const next = opened.begin({ requestId: "lost" });
        expect(await next.put("lost", Buffer.from("twice"))).toBe("replayed");
        expect(await next.commit()).toEqual({
          kind: "committed",
          committedBy: first.transactionId,
        });
        expect(await shown("lost")).toBe("another's");
      });

      async function write(key: string, value: string): Promise<void> {
        const session = opened.begin({ requestId: `write ${key} ${value}` });
        await session.put(key, Buffer.from(value));
        expect(await session.commit()).toEqual({ kind: "committed" });
      }

      let looks = 0;
      async function shown(key: string): Promise<string | undefined> {
        const session = opened.begin({ requestId: `look ${(looks += 1)}` });
        const value = textOf(await session.get(key));
        await session.commit();
        return value;
      }
    });
  });
});

function textOf(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value).toString();
}
