/**
 * @module Ctrl-C and SIGTERM: the first asks for an orderly stop, the second does not wait.
 */

/** Listens until disposed. `onSecond` is called when somebody insists. */
export function listenForStop(onSecond: () => void): { signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) onSecond();
    else controller.abort(new Error(`stopped by ${name}`));
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
