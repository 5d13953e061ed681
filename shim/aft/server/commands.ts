/**
 * @module The command table: what each command does with the replica. One function per command;
 * answers directly where the replica does.
 */
import type { MaybePromise } from "../replica/port.ts";
import { aftCommands } from "./aft-commands.ts";
import { grants } from "./access/users.ts";
import type { ClientState, Command } from "./command.ts";
import { connectionCommands } from "./connection-commands.ts";
import { peerCommands } from "./peer-commands.ts";
import { plainCommands } from "./plain-commands.ts";
import { errorReply, type Reply } from "./reply.ts";

const table: ReadonlyMap<string, Command> = new Map([
  ...Object.entries(aftCommands),
  ...Object.entries(peerCommands),
  ...Object.entries(plainCommands),
  ...Object.entries(connectionCommands),
]);

/** Most commands between MULTI and EXEC. */
export const maxQueuedCommands = 10_000;

/** Answers one command; never throws, never rejects. */
export function runCommand(client: ClientState, args: readonly Buffer[]): MaybePromise<Reply> {
  const name = (args[0] ?? Buffer.alloc(0)).toString("latin1").toUpperCase();
  const command = table.get(name);
  const refusal = refuse(client, command, name, args.length);
  if (refusal !== undefined) {
    if (client.queued !== undefined) client.queueFailed = true;
    return refusal;
  }
  if (command === undefined) return errorReply("ERR", "unreachable");
  if (client.queued !== undefined && command.immediate !== true) return queue(client, args);
  return command.run(client, args);
}

function refuse(
  client: ClientState,
  command: Command | undefined,
  name: string,
  count: number,
): Reply | undefined {
  if (command === undefined) return errorReply("ERR", `unknown command '${name.slice(0, 64)}'`);
  const { open = false, needs = grants.client } = command;
  if (!open && (client.grants & needs) === 0) return refuseAccess(client, name);
  const { arity } = command;
  if (arity >= 0 ? count !== arity : count < -arity)
    return errorReply("ERR", `wrong number of arguments for '${name.toLowerCase()}' command`);
  return undefined;
}

function refuseAccess(client: ClientState, name: string): Reply {
  client.access.noteRefused({ remote: client.remote, command: name });
  if (client.grants === grants.none) return errorReply("NOAUTH", "Authentication required.");
  const user = client.login?.username ?? "(not logged in)";
  return errorReply("NOPERM", `User ${user} has no permissions to run the '${name}' command`);
}

function queue(client: ClientState, args: readonly Buffer[]): Reply {
  const queued = client.queued ?? [];
  if (queued.length >= maxQueuedCommands) {
    client.queueFailed = true;
    return errorReply("ERR", `a transaction may have ${maxQueuedCommands} commands`);
  }
  // Kept beyond this turn: copied out of the received chunk.
  queued.push(args.map((arg) => Buffer.from(arg)));
  return { kind: "status", text: "QUEUED" };
}
