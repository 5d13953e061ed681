/** @module `aft-bench/platform`: what a platform of your own is made of. Exported as `platform`. */
export type { Clock } from "#kit/clock.ts";
export { NotAvailableError } from "#kit/errors.ts";
export type {
  FunctionHandler,
  FunctionSpec,
  InvocationContext,
  InvocationOutcome,
  InvocationTimings,
  InvokeOptions,
  Platform,
  PlatformPlace,
  PlatformStats,
} from "#harness/faas/port.ts";
export type { PlatformModule } from "#harness/faas/registry.ts";
