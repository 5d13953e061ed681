/** @module The processes that a server has started for itself, from /proc; an adapter. */
import { readFileSync } from "node:fs";

/** A process and its children, as far as they are there; itself alone where there is no /proc. */
export function withChildren(pid: number | undefined): number[] {
  if (pid === undefined) return [];
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    return [pid, ...(text === "" ? [] : text.split(" ").map(Number))];
  } catch {
    return [pid];
  }
}
