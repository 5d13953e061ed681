/** @module What functions say to the broker that holds their transactions, and what it answers: JSON. */
import type { Disposition } from "#kit/errors.ts";
import type { CommitOutcome } from "#shim/state/port.ts";

export interface HeldRequest {
  readonly transactionId: string;
  /** An earlier step was answered: if the transaction is not there now, it is gone. */
  readonly begun: boolean;
  readonly step: HeldStep;
}

/** Values are in base64. */
export type HeldStep =
  | { readonly kind: "read"; readonly keys: readonly string[] }
  | { readonly kind: "write"; readonly entries: readonly (readonly [string, string])[] }
  | { readonly kind: "commit"; readonly hasWritten: boolean }
  | { readonly kind: "abort" }
  /** What became of it; waits for what is under way. */
  | { readonly kind: "outcome" };

export type HeldAnswer =
  | { readonly values: readonly (string | null)[] }
  | { readonly outcome: CommitOutcome }
  | {
      readonly error: {
        readonly code: string;
        readonly disposition: Disposition;
        readonly message: string;
      };
    };
