/** @module The calibration servers from the caller's side. */
import { fileURLToPath } from "node:url";
import { startModule } from "#harness/services/child.ts";
import { HttpClient } from "#harness/faas/http/client.ts";

const modulePath = fileURLToPath(import.meta.resolve("#harness/calibrate/target-process.ts"));

/** What the server itself saw; monotonic microseconds, comparable with the generator's. */
export interface Truth {
  readonly arrivals: readonly number[];
  readonly stall: { readonly startUs: number; readonly endUs: number } | null;
}

export interface Target {
  readonly port: number;
  readonly pid: number;
  truth(): Promise<Truth>;
  stop(): Promise<void>;
}

export type TargetMode =
  | { readonly kind: "null" }
  | { readonly kind: "delay"; readonly delayMs: number }
  | {
      readonly kind: "stall";
      readonly delayMs: number;
      readonly atMs: number;
      readonly forMs: number;
    }
  | { readonly kind: "silent"; readonly every: number };

/** Starts a server of its own process. Rejects with `ServiceStartError`. */
export async function startTarget(mode: TargetMode): Promise<Target> {
  const child = await startModule({ name: `${mode.kind} target`, modulePath, args: argsOf(mode) });
  const port = Number(child.ready["port"]);
  return {
    port,
    pid: child.pid,
    stop: () => child.stop(),
    truth: async () => {
      const client = new HttpClient({ port, maxConnections: 1 });
      try {
        const { body } = await client.send(HttpClient.head("GET", "/truth"), undefined, 10_000);
        return JSON.parse(body.toString()) as Truth;
      } finally {
        client.close();
      }
    },
  };
}

function argsOf(mode: TargetMode): string[] {
  switch (mode.kind) {
    case "null":
      return ["null"];
    case "delay":
      return ["delay", String(mode.delayMs)];
    case "stall":
      return ["stall", String(mode.delayMs), String(mode.atMs), String(mode.forMs)];
    case "silent":
      return ["silent", String(mode.every)];
  }
}
