/**
 * @module The local platform as seen by a process that did not start it: invokes, and nothing else.
 */
import { ProjectError } from "#kit/errors.ts";
import type { Clock } from "#kit/clock.ts";
import type { InvocationLatency } from "../inline/platform.ts";
import type { Platform, PlatformStats } from "../port.ts";
import { LambdaInvoker } from "./invoker.ts";

/** Only the process that started a platform can deploy to it or kill its instances. */
export class NotThePlatformsOwnerError extends ProjectError {
  readonly code = "not_the_platforms_owner";
  readonly disposition = "bug";
}

/** Its statistics stay at zero: the owner counts. */
const nothingSeen: PlatformStats = {
  invocations: 0,
  coldStarts: 0,
  throttled: 0,
  timeouts: 0,
  functionErrors: 0,
  instancesLost: 0,
  instancesAlive: 0,
};

export function connectLocalPlatform(options: {
  readonly endpoint: string;
  readonly clock: Clock;
  readonly invocationLatency?: InvocationLatency;
}): Platform {
  const { endpoint, clock, invocationLatency } = options;
  const invoker = new LambdaInvoker({ endpoint, clock, invocationLatency });
  const refuse = (what: string): Promise<never> =>
    Promise.reject(new NotThePlatformsOwnerError(`${what} is for the process that started it`));
  return {
    name: "local",
    pids: [],
    endpoint,
    deploy: () => refuse("deploying"),
    invoke: (name, payload, limits) => invoker.invoke(name, payload, limits),
    killBusyInstances: () => refuse("killing instances"),
    stats: () => Promise.resolve(nothingSeen),
    close: () => {
      invoker.close();
      return Promise.resolve();
    },
  };
}
