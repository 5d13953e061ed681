/**
 * Goal    `powertools-idempotency` keeps the state contract; what is done is not done again, and what is half done is.
 * Method  The contract over dynalite, with "exactly-once" too, which holds as long as nobody dies; a function that
 *         really dies between its writes.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { StateSession, StateSystem } from "#shim/state/port.ts";
import { openStateSystem } from "#shim/state/registry.ts";
import type { StorageService } from "./port.ts";
import { startStorageService } from "./registry.ts";
import { describeOptional } from "./testing/describe-optional.ts";
import { describeSystem } from "./testing/describe-system.ts";

const system = "powertools-idempotency";
const dying = fileURLToPath(import.meta.resolve("#shim/state/testing/die-between-writes.ts"));
/** Of functions that die, so that nobody waits long for them. */
const functionTimeoutMs = 1_000;

await describeOptional(system, () => {
  describeSystem(
    `${system}, and each request once while nobody dies`,
    () => startStorageService("dynamodb"),
    ({ target }) =>
      Promise.resolve({
        spec: { system, options: { storage: { target } } },
        promises: ["session-order", "exactly-once"],
      }),
  );

  let store: StorageService;
  let opened: StateSystem;
  beforeAll(async () => {
    store = await startStorageService("dynamodb");
    opened = await openStateSystem(specOf(store));
  });
  afterAll(async () => {
    await opened.close();
    await store.stop();
  });
  const specOf = ({ target }: StorageService) => ({
    system,
    options: { storage: { target }, functionTimeoutMs },
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

  it("a function that died half-way keeps others away until its time is over, and is then done again", async () => {
    const child = spawn(
      process.execPath,
      [dying, JSON.stringify({ spec: specOf(store), key: "half" })],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.kill("SIGKILL");
    // Torn: the half is there for everybody.
    expect(await shown("half")).toBe("half");
    const early = opened.begin({ requestId: "dies" });
    await expect(early.put("half", Buffer.from("again"))).rejects.toMatchObject({
      code: "already_in_progress",
      disposition: "retry",
    });
    expect(await early.commit()).toMatchObject({ kind: "aborted" });
    await write("half", "another's");
    await expect
      .poll(
        async () => {
          const later = opened.begin({ requestId: "dies" });
          const put = await later.put("half", Buffer.from("again")).catch(codeOf);
          return put === undefined ? (await later.commit()).kind : put;
        },
        { timeout: 30_000, interval: 200 },
      )
      .toBe("committed");
    // A second time over what somebody else has written since.
    expect(await shown("half")).toBe("again");
  });

  async function write(key: string, value: string): Promise<void> {
    const session: StateSession = opened.begin({ requestId: `write ${key} ${value}` });
    await session.put(key, Buffer.from(value));
    expect(await session.commit()).toEqual({ kind: "committed" });
  }

  let looks = 0;
  async function shown(key: string): Promise<string | undefined> {
    return textOf(await opened.begin({ requestId: `look ${(looks += 1)}` }).get(key));
  }
});

function textOf(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value).toString();
}

function codeOf(error: unknown): string {
  return (error as { readonly code?: string }).code ?? String(error);
}
