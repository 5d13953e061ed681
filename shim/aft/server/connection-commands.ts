/** @module Commands about the connection and the server, as clients and tools expect them. */
import { text } from "./aft-commands.ts";
import { grants } from "./access/users.ts";
import type { ClientState, PlainCommand } from "./command.ts";
import { array, bulk, errorReply, integer, ok, type Reply, status } from "./reply.ts";

/** The Redis version whose protocol is spoken; some clients look at it. */
const protocolVersion = "7.0.15";

const needs = grants.session;

export const connectionCommands: Readonly<Record<string, PlainCommand>> = {
  PING: {
    arity: -1,
    needs,
    run: (_client, args) => (args[1] === undefined ? status("PONG") : bulk(args[1])),
  },
  ECHO: { arity: 2, needs, run: (_client, args) => bulk(args[1] ?? Buffer.alloc(0)) },
  AUTH: { arity: -2, open: true, immediate: true, run: auth },
  HELLO: { arity: -1, open: true, immediate: true, run: hello },
  QUIT: {
    arity: -1,
    open: true,
    immediate: true,
    run: (client) => {
      client.closing = true;
      return ok;
    },
  },
  SELECT: {
    arity: 2,
    needs,
    run: (_client, args) =>
      text(args[1]) === "0" ? ok : errorReply("ERR", "DB index is out of range: there is only 0"),
  },
  CLIENT: { arity: -2, needs, run: clientCommand },
  ACL: { arity: -2, needs, run: acl },
  COMMAND: {
    arity: -1,
    needs,
    run: (_client, args) => (text(args[1]).toUpperCase() === "COUNT" ? integer(0) : array([])),
  },
  CONFIG: { arity: -2, run: config },
  INFO: { arity: -1, needs, run: info },
  DBSIZE: { arity: 1, run: ({ replica }) => integer(replica.stats().knownKeys) },
};

function auth(client: ClientState, args: readonly Buffer[]): Reply {
  if (args.length > 3) return errorReply("ERR", "syntax error");
  if (!client.access.hasUsers)
    return errorReply("ERR", "AUTH called without any password configured");
  const username = args.length === 3 ? text(args[1]) : "default";
  const password = args[args.length - 1] ?? Buffer.alloc(0);
  const answer = client.access.login({ remote: client.remote, username, password });
  switch (answer.kind) {
    case "ok":
      client.grants = client.ownGrants | answer.user.grants;
      client.login = { username, password: answer.password };
      client.onLogin();
      return ok;
    case "wrong":
      return errorReply("WRONGPASS", "invalid username-password pair or user is disabled.");
    case "limited": {
      client.closing = true;
      const seconds = Math.ceil(answer.waitMs / 1_000);
      return errorReply("AFT_AUTH_LIMITED", `too many failed logins; wait ${seconds} s`);
    }
  }
}

function acl(client: ClientState, args: readonly Buffer[]): Reply {
  if (text(args[1]).toUpperCase() !== "WHOAMI")
    return errorReply("ERR", "only ACL WHOAMI is offered: users are in a file");
  return bulk(client.login?.username ?? "default");
}

function hello(client: ClientState, args: readonly Buffer[]): Reply {
  const version = args[1] === undefined ? client.respVersion : Number(text(args[1]));
  if (version !== 2 && version !== 3) return errorReply("NOPROTO", "unsupported protocol version");
  for (let index = 2; index < args.length; index += 1) {
    const word = text(args[index]).toUpperCase();
    if (word === "AUTH") {
      if (index + 2 >= args.length) return errorReply("ERR", "syntax error in HELLO");
      const reply = auth(client, args.slice(index, index + 3));
      if (reply.kind === "error") return reply;
      index += 2;
    } else if (word === "SETNAME") {
      client.name = text(args[index + 1]).slice(0, 64);
      index += 1;
    } else {
      return errorReply("ERR", "syntax error in HELLO");
    }
  }
  if (client.grants === grants.none) return errorReply("NOAUTH", "HELLO must be called with AUTH");
  client.respVersion = version;
  return {
    kind: "map",
    entries: [
      ["server", bulk("aft-bench")],
      ["version", bulk(protocolVersion)],
      ["proto", integer(version)],
      ["id", integer(client.id)],
      ["mode", bulk("standalone")],
      ["role", bulk("master")],
      ["modules", array([])],
    ],
  };
}

function clientCommand(client: ClientState, args: readonly Buffer[]): Reply {
  switch (text(args[1]).toUpperCase()) {
    case "SETNAME":
      client.name = text(args[2]).slice(0, 64);
      return ok;
    case "GETNAME":
      return bulk(client.name);
    case "ID":
      return integer(client.id);
    case "SETINFO":
    case "NO-EVICT":
    case "NO-TOUCH":
      return ok;
    default:
      return errorReply("ERR", "unknown CLIENT subcommand");
  }
}

/** redis-benchmark asks for `save` and `appendonly` before it begins. */
function config(_client: ClientState, args: readonly Buffer[]): Reply {
  if (text(args[1]).toUpperCase() !== "GET") return errorReply("ERR", "only CONFIG GET is offered");
  const known: Readonly<Record<string, string>> = { save: "", appendonly: "no" };
  const entries = args
    .slice(2)
    .map((name) => text(name).toLowerCase())
    .flatMap((name): [string, Reply][] => {
      const value = known[name];
      return value === undefined ? [] : [[name, bulk(value)]];
    });
  return { kind: "map", entries };
}

function info({ replica }: ClientState): Reply {
  const { storage, ...stats } = replica.stats();
  const lines = [
    "# Server",
    `redis_version:${protocolVersion}`,
    "redis_mode:standalone",
    "server_name:aft-bench",
    "# Aft",
    ...Object.entries(stats).map(([name, value]) => `${name}:${value}`),
    "# Storage",
    ...Object.entries(storage).map(([name, value]) => `${name}:${value}`),
  ];
  return bulk(`${lines.join("\r\n")}\r\n`);
}
