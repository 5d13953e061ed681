/** @module What DynamoDB's API answers instead of a result. */
import { ProjectError } from "#kit/errors.ts";

export type Json = Readonly<Record<string, unknown>>;

/** One for each action of a transaction, in their order; `None` where it was not the reason. */
export interface CancellationReason {
  readonly Code: "None" | "ConditionalCheckFailed" | "TransactionConflict" | "ValidationError";
  readonly Message?: string;
  readonly Item?: Json;
}

export class ApiError extends ProjectError {
  readonly code = "dynamodb_api";
  readonly disposition = "abort";
  readonly status: number;
  readonly body: Json;

  constructor(status: number, body: Json) {
    super(String(body["__type"]));
    this.status = status;
    this.body = body;
  }
}

const service = "com.amazonaws.dynamodb.v20120810";

export function invalid(message: string): ApiError {
  return new ApiError(400, { __type: "com.amazon.coral.validate#ValidationException", message });
}

export function refused(kind: string, message: string): ApiError {
  return new ApiError(400, { __type: `${service}#${kind}`, message });
}

export function canceled(reasons: readonly CancellationReason[]): ApiError {
  const codes = reasons.map(({ Code }) => Code).join(", ");
  const message = `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`;
  return new ApiError(400, {
    __type: `${service}#TransactionCanceledException`,
    message,
    Message: message,
    CancellationReasons: reasons,
  });
}
