/** @module For tests: the state contract over a store that is started for it. */
import { createSystemClock } from "#kit/node/system-clock.ts";
import { describeContract } from "#kit/testing/describe-contract.ts";
import {
  loadStateSystem,
  openStateSystem,
  type StatePromise,
  type StateSystemSpec,
} from "#shim/state/registry.ts";
import { openStateContract, stateContract } from "#shim/state/state.contract.ts";
import type { Service, StorageService } from "../port.ts";

const clock = createSystemClock();

export interface SystemUnderTest {
  readonly spec: StateSystemSpec;
  readonly service?: Service;
  /** Kept as long as nobody dies, say; absent: what the system promises. */
  readonly promises?: readonly StatePromise[];
}

/** `system` says how to open it once the store is up, and what else must be stopped before the store. */
export function describeSystem(
  title: string,
  start: () => Promise<StorageService>,
  system: (store: StorageService) => Promise<SystemUnderTest>,
): void {
  describeContract(`state contract: ${title}`, stateContract, async () => {
    const store = await start();
    const { spec, service, promises } = await system(store);
    const module = await loadStateSystem(spec);
    const { subject, cleanUp } = await openStateContract({
      promises: promises ?? module.promisesWith?.(spec.options) ?? module.promises,
      clock,
      open: () => openStateSystem(spec),
    });
    return {
      subject,
      cleanUp: async () => {
        await cleanUp();
        await service?.stop();
        await store.stop();
      },
    };
  });
}

/** Opened over the store that was started, with nothing beside it. */
export function overStore(
  system: string,
  options: Readonly<Record<string, unknown>> = {},
): (store: StorageService) => Promise<SystemUnderTest> {
  return ({ target }) =>
    Promise.resolve({ spec: { system, options: { storage: { target }, ...options } } });
}
