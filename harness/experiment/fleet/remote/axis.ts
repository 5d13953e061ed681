/**
 * @module One time axis for records of several machines. Pure.
 *
 * Each part's instants are moved by one constant, so that the agreed start lies at the same place for all:
 * durations stay exact. What remains is how far the machines' clocks are apart. An order of two operations
 * that rests on it is no proof, so the intervals of transactions are widened by it: then "ended before the
 * other began" holds whatever the clocks were. Requests' own times are never widened.
 */
import type { AttemptRecord } from "#harness/record/attempts.ts";
import type { RecordedTransaction } from "#harness/record/history.ts";
import type { PartRecord } from "./part.ts";
import type { FleetPlan } from "./plan.ts";

export interface PartAxis {
  /** Added to every instant. */
  readonly shiftUs: number;
  /** The true instant lies between so much before and behind; both zero on one clock. */
  readonly lowUs: number;
  readonly highUs: number;
}

export interface FleetAxis {
  /** Where the agreed start lies. */
  readonly startUs: number;
  /** Of the parts, in their order. */
  readonly parts: readonly PartAxis[];
  /** How they were put on one axis. */
  readonly by: "one machine's clock" | "measured offsets" | "stated tolerance" | "nothing";
}

/** Two processes of one kernel that agree on where the start lies on their monotonic clock. */
const sameClockUs = 50_000;

export function axisOf(plan: FleetPlan, parts: readonly PartRecord[]): FleetAxis {
  // Nothing of a part is older than its time limit, so no instant is negative.
  const startUs = Math.ceil(plan.timeLimitSeconds * 1_000_000);
  const [first] = parts;
  if (first !== undefined && isOneClock(parts)) {
    const shiftUs = startUs - first.clock.originUs;
    const same = { shiftUs, lowUs: 0, highUs: 0 };
    return { startUs, by: "one machine's clock", parts: parts.map(() => same) };
  }
  const { clockToleranceMs: toleranceMs } = plan;
  const bounded = parts.map(({ clock }) => {
    const shiftUs = startUs - clock.originUs;
    if (toleranceMs !== undefined) return { shiftUs, ...around(toleranceMs * 1_000) };
    if (clock.offset === null) return { shiftUs, ...around(startUs) };
    const { lowMs, highMs } = clock.offset;
    return { shiftUs, lowUs: Math.floor(lowMs * 1_000), highUs: Math.ceil(highMs * 1_000) };
  });
  const measured = parts.every(({ clock }) => clock.offset !== null);
  const by =
    toleranceMs !== undefined ? "stated tolerance" : measured ? "measured offsets" : "nothing";
  return { startUs, by, parts: bounded };
}

function isOneClock(parts: readonly PartRecord[]): boolean {
  const boots = new Set(parts.map(({ clock }) => clock.bootId));
  const starts = new Set(parts.map(({ clock }) => clock.agreedAtMs));
  const origins = parts.map(({ clock }) => clock.originUs);
  return (
    boots.size === 1 &&
    !boots.has(null) &&
    starts.size === 1 &&
    Math.max(...origins) - Math.min(...origins) <= sameClockUs
  );
}

function around(us: number): { readonly lowUs: number; readonly highUs: number } {
  return { lowUs: -Math.ceil(us), highUs: Math.ceil(us) };
}

export function moveAttempt(attempt: AttemptRecord, { shiftUs }: PartAxis): AttemptRecord {
  return {
    ...attempt,
    dueUs: attempt.dueUs + shiftUs,
    startUs: attempt.startUs + shiftUs,
    endUs: attempt.endUs + shiftUs,
  };
}

export function moveTransaction(
  transaction: RecordedTransaction,
  { shiftUs, lowUs, highUs }: PartAxis,
): RecordedTransaction {
  const from = (us: number): number => us + shiftUs + lowUs;
  const to = (us: number): number => us + shiftUs + highUs;
  return {
    ...transaction,
    operations: transaction.operations.map((operation) =>
      operation.kind === "read"
        ? { ...operation, startUs: from(operation.startUs), endUs: to(operation.endUs) }
        : {
            ...operation,
            startUs: from(operation.startUs),
            endUs: operation.endUs === null ? null : to(operation.endUs),
          },
    ),
  };
}
