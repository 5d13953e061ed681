/**
 * @module Who may do what on one server: logins, refusals, what is counted and what is logged.
 *
 * Without users (and without a peers' authority) everybody who reaches the server may do everything:
 * that is for development, and `serve.ts` allows it on loopback and Unix sockets only.
 *
 * Nothing here keeps, logs or counts by anything a client sent except a user's name that exists.
 */
import { FailedAttempts, networkOf } from "./attempts.ts";
import { Bursts } from "./bursts.ts";
import { authenticate, grants, type User, type Users } from "./users.ts";

/** What was refused or went wrong at the door; all only grow. */
export interface AccessStats {
  readonly authFailuresTotal: number;
  /** Not even checked, because the address had failed too often. */
  readonly authLimitedTotal: number;
  readonly refusedCommandsTotal: number;
  readonly tlsErrorsTotal: number;
}

export type LoginAnswer =
  | { readonly kind: "ok"; readonly user: User; readonly password: string }
  | { readonly kind: "wrong" }
  | { readonly kind: "limited"; readonly waitMs: number };

export interface AccessEvent {
  readonly kind: "auth_failed" | "auth_limited" | "command_refused" | "tls_error";
  readonly remote: string;
  readonly message: string;
  /** Of the same kind from the same address, not told since the last one. */
  readonly untold: number;
}

export class Access {
  readonly #nowMs: () => number;
  readonly #onEvent: (event: AccessEvent) => void;
  readonly #attempts = new FailedAttempts();
  readonly #bursts = new Bursts();
  readonly #isPeersAuthoritySet: boolean;
  #users: Users | undefined;
  #authFailures = 0;
  #authLimited = 0;
  #refusedCommands = 0;
  #tlsErrors = 0;

  constructor(options: {
    /** Absent: nobody needs to log in. */
    readonly users?: Users;
    /** Peers are known by their certificates. */
    readonly hasPeersAuthority?: boolean;
    readonly nowMs: () => number;
    readonly onEvent?: (event: AccessEvent) => void;
  }) {
    this.#users = options.users;
    this.#isPeersAuthoritySet = options.hasPeersAuthority ?? false;
    this.#nowMs = options.nowMs;
    this.#onEvent = options.onEvent ?? (() => {});
  }

  get hasUsers(): boolean {
    return this.#users !== undefined;
  }

  /** What a connection may do before it logs in. */
  grantsOf(connection: { readonly isVerifiedPeer: boolean }): number {
    const peer = connection.isVerifiedPeer ? grants.peer | grants.session : grants.none;
    if (this.#users !== undefined) return peer;
    return this.#isPeersAuthoritySet ? (grants.all & ~grants.peer) | peer : grants.all;
  }

  login(given: {
    readonly remote: string;
    readonly username: string;
    readonly password: Uint8Array;
  }): LoginAnswer {
    const { remote } = given;
    const waitMs = this.#attempts.waitMs(remote, this.#nowMs());
    if (waitMs > 0) {
      this.#authLimited += 1;
      this.#tell("auth_limited", remote, "too many failed logins: no password is checked for now");
      return { kind: "limited", waitMs };
    }
    const found = this.#users === undefined ? undefined : authenticate(this.#users, given);
    if (found !== undefined) return { kind: "ok", ...found };
    this.#authFailures += 1;
    this.#attempts.failed(remote, this.#nowMs());
    this.#tell("auth_failed", remote, "a login failed: wrong user or password");
    return { kind: "wrong" };
  }

  /** What the user may do now; `undefined` if this login no longer holds. */
  renewed(login: { readonly username: string; readonly password: string }): number | undefined {
    const user = this.#users?.get(login.username);
    if (user === undefined || !user.isOn || !user.passwords.includes(login.password))
      return undefined;
    return user.grants;
  }

  /** `command` is one the server knows. */
  noteRefused(refused: { readonly remote: string; readonly command: string }): void {
    this.#refusedCommands += 1;
    const message = `${refused.command} refused: not logged in, or not for this user`;
    this.#tell("command_refused", refused.remote, message);
  }

  noteTlsError(failed: { readonly remote: string; readonly message: string }): void {
    this.#tlsErrors += 1;
    this.#tell("tls_error", failed.remote, failed.message);
  }

  replaceUsers(users: Users): void {
    this.#users = users;
  }

  stats(): AccessStats {
    return {
      authFailuresTotal: this.#authFailures,
      authLimitedTotal: this.#authLimited,
      refusedCommandsTotal: this.#refusedCommands,
      tlsErrorsTotal: this.#tlsErrors,
    };
  }

  #tell(kind: AccessEvent["kind"], remote: string, message: string): void {
    const told = this.#bursts.note(`${kind} ${networkOf(remote)}`, this.#nowMs());
    if (told !== undefined) this.#onEvent({ kind, remote, message, untold: told.untold });
  }
}
