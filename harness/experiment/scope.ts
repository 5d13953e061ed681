/**
 * @module The owner of everything that was started: stops it all, in reverse order, once.
 *
 * Whatever happens in between, `close` runs every stop; their failures are collected into one
 * `CleanUpError` and none keeps the others from running.
 */
import { ProjectError, describeError } from "#kit/errors.ts";

type Stop = () => Promise<void> | void;

/** Something that was started could not be stopped. */
export class CleanUpError extends ProjectError {
  readonly code = "clean_up_failed";
  readonly disposition = "bug";
  readonly failures: readonly unknown[];

  constructor(failures: readonly unknown[]) {
    super(`could not stop everything: ${failures.map(describeError).join("; ")}`, {
      cause: failures[0],
    });
    this.failures = failures;
  }
}

export class Scope {
  readonly #stops: Stop[] = [];

  /** Registers how to stop something that has just been started. */
  add(stop: Stop): void {
    this.#stops.push(stop);
  }

  /** Keeps `started` until the scope is closed. */
  own<T extends { stop(): Promise<void> } | { close(): Promise<void> }>(started: T): T {
    this.add(() => ("stop" in started ? started.stop() : started.close()));
    return started;
  }

  /** Stops everything, last first; may be called again, when it has nothing left to do. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let stop = this.#stops.pop(); stop !== undefined; stop = this.#stops.pop()) {
      try {
        await stop();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new CleanUpError(failures);
  }
}
