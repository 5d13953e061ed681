/** @module What etcd refuses and how, as errors of the state seam. */
import { describeError, type Disposition, ProjectError } from "#kit/errors.ts";
import { StateError } from "#shim/state/port.ts";

/** It answered, and with no. */
export class EtcdRefusal extends ProjectError {
  readonly code = "etcd_refusal";
  readonly disposition = "retry";

  constructor(path: string, status: number, reason: string) {
    super(`${path} answered ${status}: ${reason}`);
  }
}

/** By a part of its message; the gateway keeps no better names. */
const refusals: readonly (readonly [part: string, code: string, disposition: Disposition])[] = [
  ["has been compacted", "revision_compacted", "retry"],
  ["too many operations", "limit_exceeded", "abort"],
  ["request is too large", "limit_exceeded", "abort"],
  // Of gRPC, in front of the server.
  ["larger than max", "limit_exceeded", "abort"],
  ["database space exceeded", "storage_full", "abort"],
  ["duplicate key given", "duplicate_key", "bug"],
];

export function toStateError(error: unknown): StateError {
  if (error instanceof StateError) return error;
  const message = describeError(error);
  const known =
    error instanceof EtcdRefusal ? refusals.find(([part]) => message.includes(part)) : undefined;
  const [, code, disposition] = known ?? ["", "storage_unavailable", "retry" as const];
  return new StateError({ code, disposition, message: `etcd: ${message}`, cause: error });
}

export function limitExceeded(what: string): StateError {
  return new StateError({ code: "limit_exceeded", disposition: "abort", message: `etcd: ${what}` });
}
