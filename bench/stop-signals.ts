/**
 * @module Ctrl-C and SIGTERM: the first asks for an orderly stop, a later one does not wait.
 */

/**
 * Ctrl-C reaches every process of a terminal, and a loader (tsx) that finds this one busy passes it on: one key
 * is then two signals. Nobody presses it again so soon.
 */
const sameKeyWithinMs = 500;

/** Listens until disposed. `onSecond` is called when somebody insists. */
export function listenForStop(
  onSecond: () => void,
  { now = () => performance.now() }: { readonly now?: () => number } = {},
): { signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  let firstAtMs = 0;
  const onSignal = (name: NodeJS.Signals): void => {
    if (!controller.signal.aborted) {
      firstAtMs = now();
      controller.abort(new Error(`stopped by ${name}`));
    } else if (now() - firstAtMs > sameKeyWithinMs) onSecond();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    signal: controller.signal,
    dispose: () => {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
