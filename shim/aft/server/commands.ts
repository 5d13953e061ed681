/**
 * @module The command table: what each command does with the replica. One function per command;
 * answers directly where the replica does.
 */
import type { MaybePromise } from "../replica/port.ts";
import { aftCommands } from "./aft-commands.ts";
import { grants } from "./access/users.ts";
import type { ClientState, Command, PlainCommand } from "./command.ts";
import { connectionCommands } from "./connection-commands.ts";
import { peerCommands } from "./peer-commands.ts";
import { plainCommands } from "./plain-commands.ts";
import { errorReply, type Reply } from "./reply.ts";
import type { Request } from "./request.ts";

const table: ReadonlyMap<string, Command> = new Map([
  ...Object.entries(aftCommands),
  ...Object.entries({ ...peerCommands, ...plainCommands, ...connectionCommands }).map(
    ([name, command]): [string, Command] => [name, onCopies(command)],
  ),
]);

/** Those a transaction is made of: found by comparing bytes, without a string. */
const hot = ["AFT.GET", "AFT.SET", "AFT.COMMIT"].map((name) => ({
  name,
  command: table.get(name),
}));

/** Most commands between MULTI and EXEC. */
export const maxQueuedCommands = 10_000;

/** Answers one command; never throws, never rejects. */
export function runCommand(client: ClientState, request: Request): MaybePromise<Reply> {
  for (const { name, command } of hot)
    if (request.is(0, name)) return runNamed(client, request, { name, command });
  const name = request.text(0).toUpperCase();
  return runNamed(client, request, { name, command: table.get(name) });
}

function runNamed(
  client: ClientState,
  request: Request,
  { name, command }: { readonly name: string; readonly command: Command | undefined },
): MaybePromise<Reply> {
  const refusal = refuse(client, command, name, request.length);
  if (refusal !== undefined) {
    if (client.queued !== undefined) client.queueFailed = true;
    return refusal;
  }
  if (command === undefined) return errorReply("ERR", "unreachable");
  if (client.queued !== undefined && command.immediate !== true) return queue(client, request);
  return command.run(client, request);
}

function onCopies(command: PlainCommand): Command {
  return { ...command, run: (client, request) => command.run(client, request.copies()) };
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

function queue(client: ClientState, request: Request): Reply {
  const queued = client.queued ?? [];
  if (queued.length >= maxQueuedCommands) {
    client.queueFailed = true;
    return errorReply("ERR", `a transaction may have ${maxQueuedCommands} commands`);
  }
  queued.push(request.copies());
  return { kind: "status", text: "QUEUED" };
}
