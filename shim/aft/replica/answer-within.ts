import type { Clock, Timer } from "#kit/clock.ts";
import type { CommitAnswer } from "./port.ts";
import { refuse } from "./refuse.ts";
import type { Transaction } from "./transaction.ts";

/** The commit's answer, or "unknown" when storage keeps it waiting; the commit itself goes on. */
export async function answerWithin(options: {
  readonly transaction: Transaction;
  readonly committing: Promise<CommitAnswer>;
  readonly clock: Clock;
  readonly boundMs: number;
}): Promise<CommitAnswer> {
  const { transaction, committing, clock, boundMs } = options;
  let timer: Timer | undefined;
  const bound = new Promise<undefined>((resolve) => {
    timer = clock.schedule(boundMs * 1_000, () => {
      resolve(undefined);
    });
  });
  const answer = await Promise.race([committing, bound]);
  timer?.cancel();
  if (answer !== undefined) return answer;
  const message = "storage did not say in time whether the commit happened; ask again";
  return { kind: "unknown", refusal: transaction.doubt ?? refuse("storage_unavailable", message) };
}
