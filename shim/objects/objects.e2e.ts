/**
 * Goal    Virtual objects of Restate and durable objects on workerd keep the state contract: each write once, and
 *         what was acknowledged is there; and their servers are private, durable and gone when they are to be.
 * Method  The real servers, where their packages are installed: the contract, attempts that go on from others,
 *         lost answers, SIGKILL, sizes, ports and processes as the kernel has them.
 */
import { existsSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { describeContract } from "#kit/testing/describe-contract.ts";
import { type RestateService, startRestate } from "#harness/services/restate.ts";
import { describeOptional } from "#harness/services/testing/describe-optional.ts";
import { startRelay } from "#harness/services/testing/relay.ts";
import {
  bindable,
  directoryOf,
  endsWithParent,
  listening,
} from "#harness/services/testing/what-is-left.ts";
import { startWorkerd, type WorkerdService } from "#harness/services/workerd.ts";
import { StateError, type StateContext, type StateSystem } from "#shim/state/port.ts";
import { loadStateSystem, openStateSystem, type StateSystemSpec } from "#shim/state/registry.ts";
import { openStateContract, stateContract } from "#shim/state/state.contract.ts";

const clock = createSystemClock();
/** Too much for a request to Restate, and for SQLite as workerd has it. */
const refusedBytes = 40_000_000;
const writesWatched = 100;

interface Product {
  readonly system: string;
  readonly engine: "restate" | "workerd";
  readonly start: () => Promise<RestateService | WorkerdService>;
}

const products: readonly Product[] = [
  { system: "restate", engine: "restate", start: startRestate },
  { system: "durable-objects", engine: "workerd", start: startWorkerd },
];

for (const product of products) {
  const { system: name, engine } = product;
  await describeOptional(name, () => {
    let service: RestateService | WorkerdService;
    let system: StateSystem;
    let names = 0;
    const fresh = (what: string): string => `${what} ${(names += 1)}`;
    const specFor = (port = service.port): StateSystemSpec => ({
      system: name,
      options: { storage: { target: { engine, endpoint: `http://127.0.0.1:${port}` } } },
    });

    beforeAll(async () => {
      service = await product.start();
      system = await openStateSystem(specFor());
    });
    afterAll(async () => {
      await system.close();
      await service.stop();
    });

    describeContract(`state contract: ${name}`, stateContract, async () => {
      const { promises } = await loadStateSystem({ system: name });
      return openStateContract({ promises, clock, open: () => openStateSystem(specFor()) });
    });

    it("serves on loopback alone", () => {
      const ports = "ports" in service ? service.ports : [service.port];
      for (const port of ports) expect(listening(port), String(port)).toEqual(["127.0.0.1"]);
    });

    it("a later attempt passes over what is done; others have seen it meanwhile, and abort undoes nothing", async () => {
      const [requestId, a, b] = [fresh("request"), fresh("a"), fresh("b")];
      const first = system.begin({ requestId });
      await first.put(a, bytes("first"));
      await first.abort();
      // Torn: half a request is there.
      expect(await shown(system, [a, b])).toEqual(["first", undefined]);
      const second = system.begin({ requestId });
      expect(await second.put(a, bytes("second"))).toBe("replayed");
      const last = system.resume(passed(await second.suspend()));
      expect(await last.put(b, bytes("second"))).toBeUndefined();
      expect(await last.commit()).toEqual({ kind: "committed" });
      expect(await shown(system, [a, b])).toEqual(["first", "second"]);
    });

    it("a read of a key sees what was acknowledged before it began", async () => {
      const key = fresh("key");
      let acknowledged = 0;
      let looks = 0;
      const writing = new AbortController();
      const look = async (): Promise<void> => {
        while (!writing.signal.aborted) {
          const atLeast = acknowledged;
          const [seen] = await shown(system, [key]);
          expect(Number(seen ?? 0)).toBeGreaterThanOrEqual(atLeast);
          looks += 1;
        }
      };
      const writer = async (): Promise<void> => {
        for (let count = 1; count <= writesWatched; count += 1) {
          await system.begin({ requestId: fresh("request") }).put(key, bytes(String(count)));
          acknowledged = count;
        }
      };
      const written = writer().finally(() => {
        writing.abort();
      });
      await Promise.all([written, look(), look(), look()]);
      expect(looks).toBeGreaterThan(3);
    });

    it("a lost answer is asked for again, and the write is done once", async () => {
      const relay = await startRelay(service.port);
      const behind = await openStateSystem(specFor(relay.port));
      const [requestId, key] = [fresh("request"), fresh("key")];
      const session = behind.begin({ requestId });
      await session.get(key);
      relay.loseAnswers();
      // Whether it was told or not, it goes on as the first one to have written.
      expect(await session.put(key, bytes("once")).catch(refusalOf)).toBeUndefined();
      const again = system.begin({ requestId });
      expect(await again.put(key, bytes("twice"))).toBe("replayed");
      expect(await again.commit()).toMatchObject({ committedBy: session.transactionId });
      expect(await shown(system, [key])).toEqual(["once"]);
      await behind.close();
      await relay.stop();
    });

    it("a value that is too large is refused for good, and changes nothing", async () => {
      const key = fresh("key");
      const session = system.begin({ requestId: fresh("request") });
      await session.put(key, bytes("small"));
      const large = session.put(key, new Uint8Array(refusedBytes));
      await expect(large).rejects.toMatchObject({ code: "limit_exceeded", disposition: "abort" });
      expect(await shown(system, [key])).toEqual(["small"]);
    });

    it("keeps what it has acknowledged, and what it has done, when it is killed", async () => {
      const [requestId, key] = [fresh("request"), fresh("key")];
      const session = system.begin({ requestId });
      await session.put(key, bytes("kept"));
      await service.kill();
      const refused = await system
        .begin({ requestId: fresh("request") })
        .get(key)
        .catch(refusalOf);
      expect(refused).toBe("storage_unavailable");
      await service.restart();
      await expect
        .poll(() => shown(system, [key]).catch(refusalOf), { timeout: 30_000 })
        .toEqual(["kept"]);
      const again = system.begin({ requestId });
      expect(await again.put(key, bytes("again"))).toBe("replayed");
    });

    it("leaves neither port nor process nor directory", async () => {
      const other = await product.start();
      const directory = directoryOf(other.pids[0] ?? 0);
      expect(existsSync(directory)).toBe(true);
      await other.stop();
      await other.stop();
      expect(existsSync(directory)).toBe(false);
      await expect(bindable(other.port)).resolves.toBe(true);
    });

    it("ends when whoever started it is killed", () => endsWithParent(engine));
  });
}

async function shown(
  system: StateSystem,
  keys: readonly string[],
): Promise<(string | undefined)[]> {
  const values = await system.begin({ requestId: "look" }).getMany(keys);
  return values.map((value) => (value === undefined ? undefined : new TextDecoder().decode(value)));
}

function refusalOf(error: unknown): string {
  if (error instanceof StateError) return error.code;
  throw error;
}

function passed(context: StateContext): StateContext {
  return JSON.parse(JSON.stringify(context)) as StateContext;
}

function bytes(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}
