/** @module What a command is, and what it may see and change of its connection. */
import type { PeerLoss } from "../cluster/peer-loss.ts";
import type { PeerEndpoint } from "../cluster/port.ts";
import type { MaybePromise, Refusal, Replica } from "../replica/port.ts";
import type { Access } from "./access/access.ts";
import { errorReply, type Reply } from "./reply.ts";
import type { Request } from "./request.ts";

/** What commands may see and change of their connection. */
export interface ClientState {
  readonly id: number;
  readonly replica: Replica;
  /** Absent, or answers `undefined`, where there is only one replica. */
  readonly cluster: (() => PeerEndpoint | undefined) | undefined;
  /** Answers `undefined` unless debugging is allowed. */
  readonly peerLoss: (() => PeerLoss | undefined) | undefined;
  readonly access: Access;
  /** Its address, as logs and limits know it. */
  readonly remote: string;
  /** What it may do now, in bits (`access/users.ts`); none: it must log in first. */
  grants: number;
  /** What it may do whoever logs in on it. */
  readonly ownGrants: number;
  /** Who logged in, and with which of the passwords. */
  login: { readonly username: string; readonly password: string } | undefined;
  /** Told after each login. */
  readonly onLogin: () => void;
  respVersion: number;
  /** It understands answers that come later than in order (`answer-order.ts`). */
  mayBeLater: boolean;
  name: string;
  /** Commands queued since MULTI; `undefined` outside. */
  queued: Buffer[][] | undefined;
  /** A queued command was refused: EXEC will discard. */
  queueFailed: boolean;
  /** Set by QUIT: the connection ends after its replies. */
  closing: boolean;
}

export interface Command {
  /** Arguments with the name: exact, or at least `-arity`, as Redis counts. */
  readonly arity: number;
  readonly run: (client: ClientState, request: Request) => MaybePromise<Reply>;
  /** Runs at once, also between MULTI and EXEC. */
  readonly immediate?: boolean;
  /** Allowed before AUTH. */
  readonly open?: boolean;
  /** The bit of `grants` it needs; default: `client`. */
  readonly needs?: number;
}

/** A command that is not on the hot path, and is handed copies of its arguments, to keep. */
export interface PlainCommand extends Omit<Command, "run"> {
  readonly run: (client: ClientState, args: readonly Buffer[]) => MaybePromise<Reply>;
}

/** A refusal of the replica as an error whose first word tells scripts what it is. */
export function refusalReply({ code, message }: Refusal): Reply {
  return errorReply(`AFT_${code.toUpperCase()}`, message);
}
