/** @module Plain histories of tests: drawn from a seed, written by hand, handed to the builder. */
import type { Prng } from "#kit/prng.ts";
import { type History, HistoryBuilder } from "../history.ts";
import type { PlainHistory, PlainOperation, PlainTransaction } from "./axioms.ts";

/** The history the checker judges; transaction `i` is named `t${i}`. */
export function buildPlain(history: PlainHistory): History {
  const builder = new HistoryBuilder();
  for (const [id, { session, status, operations }] of history.entries()) {
    const handle = builder.transaction(session, `t${id}`, status);
    for (const { kind, key, value } of operations) {
      if (kind === "write") builder.write(handle, key, value);
      else builder.read(handle, key, value === 0 ? null : value);
    }
  }
  return builder.build();
}

/**
 * A history by hand, one line a transaction: `session: wx1 rx1 ry0`, with `!` after the session for
 * aborted and `?` for unknown. Keys are x, y, z, w; value 0 is initial.
 */
export function plain(text: string): PlainHistory {
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [, session = "0", mark = "", rest = ""] = /^\s*(\d+)([!?]?):(.*)$/.exec(line) ?? [];
      const operations = rest
        .trim()
        .split(/\s+/)
        .filter((word) => word !== "")
        .map((word): PlainOperation => ({
          kind: word.startsWith("w") ? "write" : "read",
          key: "xyzw".indexOf(word[1] ?? "x"),
          value: Number(word.slice(2)),
        }));
      const status = mark === "!" ? "aborted" : mark === "?" ? "unknown" : "committed";
      return { session: Number(session), status, operations };
    });
}

/** The same notation back, for messages. */
export function showPlain(history: PlainHistory): string {
  return history
    .map(({ session, status, operations }) => {
      const mark = status === "aborted" ? "!" : status === "unknown" ? "?" : "";
      const words = operations.map(
        ({ kind, key, value }) => `${kind === "write" ? "w" : "r"}${"xyzw"[key]}${value}`,
      );
      return `${session}${mark}: ${words.join(" ")}`;
    })
    .join("\n");
}

/**
 * At most six transactions over few keys, so that everything collides. Reads mostly follow a store
 * with snapshots of changing freshness, or one where news spreads slowly, because wild ones would all
 * be rejected for the same reason.
 */
export function drawHistory(prng: Prng): PlainHistory {
  const count = 2 + prng.nextInt(5);
  const sessions = 1 + prng.nextInt(3);
  const keys = 1 + prng.nextInt(3);
  const wildness = [0, 0.05, 0.3][prng.nextInt(3)] ?? 0;
  const unusual = prng.nextInt(3) === 0;
  let value = 0;
  /** All values of each key so far, oldest first. */
  const versions = Array.from({ length: keys }, () => [0]);
  /** What each session knows, where sessions hear of each other only now and then. */
  const views = Array.from({ length: sessions }, () => Array.from({ length: keys }, () => 0));
  const isCausal = prng.nextInt(3) === 0;
  const drafts: PlainTransaction[] = [];
  for (let id = 0; id < count; id += 1) {
    const session = prng.nextInt(sessions);
    const lag = prng.nextInt(3) === 0 ? 1 : 0;
    const view = views[session] ?? [];
    const heard = prng.nextInt(2) === 0 ? (views[prng.nextInt(sessions)] ?? []) : [];
    for (const key of view.keys()) view[key] = Math.max(view[key] ?? 0, heard[key] ?? 0);
    const snapshot = isCausal
      ? [...view]
      : versions.map((all) => all.at(-1 - prng.nextInt(lag + 1)) ?? 0);
    const operations: PlainOperation[] = [];
    const written = new Map<number, number>();
    const size = 1 + prng.nextInt(4);
    for (let at = 0; at < size; at += 1) {
      const key = prng.nextInt(keys);
      if (prng.nextInt(2) === 0) {
        value += 1;
        operations.push({ kind: "write", key, value });
        written.set(key, value);
        continue;
      }
      const all = versions[key] ?? [0];
      const wild = prng.next() < (written.has(key) ? wildness / 10 : wildness);
      const seen = wild
        ? (all[prng.nextInt(all.length)] ?? 0)
        : (written.get(key) ?? snapshot[key] ?? 0);
      operations.push({ kind: "read", key, value: seen });
    }
    const status = unusual
      ? (["committed", "aborted", "unknown"] as const)[prng.nextInt(3)]
      : "committed";
    drafts.push({ session, status: status ?? "committed", operations });
    for (const [key, own] of written) view[key] = own;
    for (const { kind, key, value: own } of operations)
      if (kind === "write" && (written.get(key) === own || prng.next() < wildness))
        versions[key]?.push(own);
  }
  return scatter(drafts, wildness, prng);
}

/** Sometimes lets transactions trade places, so that later values are read early. */
function scatter(drafts: PlainTransaction[], wildness: number, prng: Prng): PlainHistory {
  if (prng.next() >= wildness * 2) return drafts;
  const from = prng.nextInt(drafts.length);
  const [moved] = drafts.splice(from, 1);
  if (moved !== undefined) drafts.splice(prng.nextInt(drafts.length + 1), 0, moved);
  return drafts;
}
