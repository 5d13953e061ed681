/**
 * @module What is used of Powertools for AWS Lambda, which is none of our dependencies: its types as far as they
 * matter here, and loading it.
 */
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { importOptional, type OptionalPackage } from "#kit/node/optional-package.ts";

const library = { name: "@aws-lambda-powertools/idempotency", version: "2.35.0" };

/** The second one is a peer of the first: its part for DynamoDB loads what this brings. */
export const needs: readonly OptionalPackage[] = [
  library,
  { name: "@aws-sdk/lib-dynamodb", version: "3.1169.0" },
];

/** Opaque to us. */
export interface PersistenceStore {
  /** Rejects with an error named `IdempotencyItemNotFoundError`. */
  getRecord(payload: unknown): Promise<{ getStatus(): string; getResponse(): unknown }>;
  configure(options: { readonly config: IdempotencyConfig; readonly keyPrefix: string }): void;
}

interface LambdaContext {
  getRemainingTimeInMillis(): number;
}

export interface IdempotencyConfig {
  /** It asks nothing else of a context. */
  registerLambdaContext(context: LambdaContext): void;
}

export interface Powertools {
  /** What calls `work` at most once for each payload, and returns what it returned whenever it is called again. */
  makeIdempotent<Payload, Result>(
    work: (payload: Payload) => Promise<Result>,
    options: {
      readonly persistenceStore: PersistenceStore;
      readonly config: IdempotencyConfig;
      readonly keyPrefix: string;
    },
  ): (payload: Payload) => Promise<Result>;
  readonly IdempotencyConfig: new (options: {
    readonly expiresAfterSeconds: number;
  }) => IdempotencyConfig;
  readonly DynamoDBPersistenceLayer: new (options: {
    readonly tableName: string;
    readonly awsSdkV3Client: DynamoDBClient;
  }) => PersistenceStore;
}

/** Rejects with `NotAvailableError` where it is not installed. */
export async function loadPowertools(): Promise<Powertools> {
  const main = await importOptional<Omit<Powertools, "DynamoDBPersistenceLayer">>(library);
  const part = await importOptional<Pick<Powertools, "DynamoDBPersistenceLayer">>(library, {
    subpath: "/dynamodb",
  });
  return { ...main, ...part };
}
