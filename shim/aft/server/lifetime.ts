/**
 * @module How long a process lives: until SIGTERM; a child of the suite also only as long as its
 * parent; one that stands alone (AFT_STANDALONE=1, as in a container) until Ctrl-C too.
 */
import { describeError } from "#kit/errors.ts";

/** Closes and exits: 0, or 1 with the error on stderr. */
export function endWhenAsked(
  close: () => Promise<void>,
  options: { readonly standalone: boolean },
): void {
  const stop = (): void => {
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${describeError(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", stop);
  if (options.standalone) {
    // A container has no standard input: its end means nothing.
    process.on("SIGINT", stop);
    return;
  }
  process.on("SIGINT", () => {
    // Ctrl-C reaches the whole group; the parent stops its children in order.
  });
  process.stdin.on("end", stop);
  process.stdin.on("error", stop);
  process.stdin.resume();
  process.stdout.on("error", stop);
}
