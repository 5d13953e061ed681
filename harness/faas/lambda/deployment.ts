/**
 * @module How functions get to an endpoint, and away from it again: one strategy per kind of endpoint.
 */
import type { FunctionSpec } from "../port.ts";

/** Where an invocation goes. */
export interface DeployedTo {
  readonly functionName: string;
  readonly qualifier?: string;
}

export interface Deployment {
  /** Replaces earlier ones of the same names. Rejects with a `ProjectError`. */
  deploy(functions: readonly FunctionSpec[]): Promise<void>;
  /** Where functions of that name are; undefined: never deployed. */
  find(name: string): DeployedTo | undefined;
  /** Of the API that invokes them; undefined: AWS. Known after the first deployment. */
  readonly endpoint: string | undefined;
  /** Whose implementation of the API it is, where that is known. */
  readonly emulator?: string;
  /** Processes behind the endpoint that this deployment started. */
  readonly pids: readonly number[];
  /** Takes away exactly what this deployment has made. Idempotent. */
  tearDown(): Promise<void>;
}
