/** @module `aft-bench serve`: one AFT replica, or a local cluster of them, in the foreground. */
import { resolve } from "node:path";
import { ConfigError, type ConfigProblem } from "#kit/errors.ts";
import { parseStorageUrl } from "#shim/storage/registry.ts";
import { type StorageTarget, withoutPassword } from "#shim/storage/target.ts";
import {
  openSecurity,
  readPeerCredentials,
  type SecurityConfig,
} from "#shim/aft/server/access/security.ts";
import { serveReplica } from "#shim/aft/server/serve.ts";
import {
  type AftCluster,
  type ClusterEvent,
  startAftCluster,
} from "#harness/services/aft-cluster.ts";
import { exitCodes } from "#bench/exit-codes.ts";
import { listenForStop } from "#bench/stop-signals.ts";
import type { ServeFlags } from "./serve-flags.ts";

/** Processes of a local cluster: more than this is a mistake on one machine. */
const maxReplicas = 64;

/** Serves until it is asked to stop; the exit code. */
export async function serve(flags: ServeFlags): Promise<number> {
  const target = parseStorageUrl(flags.storage);
  refuseCombinations(flags, target);
  const stop = listenForStop(() => process.exit(exitCodes.interrupted));
  try {
    const close =
      flags.replicas === 1 ? await serveOne(flags, target) : await serveCluster(flags, target);
    if (!stop.signal.aborted)
      await new Promise((finished) => {
        stop.signal.addEventListener("abort", finished);
      });
    await close();
    return exitCodes.ok;
  } finally {
    stop.dispose();
  }
}

/** @throws ConfigError with all of them */
function refuseCombinations(flags: ServeFlags, target: StorageTarget): void {
  const problems: ConfigProblem[] = [];
  const { replicas, managers, socket, host, port } = flags;
  if (!Number.isInteger(replicas) || replicas < 1 || replicas > maxReplicas)
    problems.push({ where: "--replicas", what: `must be a whole number from 1 to ${maxReplicas}` });
  if (!Number.isInteger(managers) || managers < 0 || managers > 8)
    problems.push({ where: "--managers", what: "must be a whole number from 0 to 8" });
  if (socket !== undefined && host !== undefined)
    problems.push({ where: "--socket", what: "is instead of --host and --port" });
  if (replicas > 1) {
    if (target.engine === "memory") {
      const what = "is the memory of one process, and replicas must share their storage";
      problems.push({ where: "--storage memory:", what, hint: "lmdb:DIR or redis://HOST:PORT" });
    }
    if (socket !== undefined)
      problems.push({ where: "--socket", what: "is for one replica; a cluster listens on TCP" });
    if (host !== undefined) {
      const hint = "shim/aft/deploy/README.md: clusters over machines";
      problems.push({ where: "--host", what: "is for one replica; a cluster is local", hint });
    }
    if (port !== 0 && port + replicas > 65_536)
      problems.push({ where: "--port", what: "leaves no room for all replicas" });
  }
  if (problems.length > 0) throw new ConfigError(problems);
}

function securityOf(flags: ServeFlags): SecurityConfig {
  const { users, tlsCert, tlsKey, tlsCa, peerCa, peerUser, peerPasswordFile } = flags;
  const tls = {
    ...(tlsCert !== undefined && { certFile: resolve(tlsCert) }),
    ...(tlsKey !== undefined && { keyFile: resolve(tlsKey) }),
    ...(tlsCa !== undefined && { caFile: resolve(tlsCa) }),
    ...(peerCa !== undefined && { peerCaFile: resolve(peerCa) }),
  };
  const peer = {
    ...(peerUser !== undefined && { username: peerUser }),
    ...(peerPasswordFile !== undefined && { passwordFile: resolve(peerPasswordFile) }),
  };
  return {
    ...(users !== undefined && { usersFile: resolve(users) }),
    ...(Object.keys(tls).length > 0 && { tls }),
    ...(Object.keys(peer).length > 0 && { peer }),
  };
}

async function serveOne(flags: ServeFlags, target: StorageTarget): Promise<() => Promise<void>> {
  const { port, host = "127.0.0.1", socket, adminPort } = flags;
  const password = process.env["AFT_BENCH_PASSWORD"];
  const serving = await serveReplica({
    storage: { target },
    listen: socket === undefined ? { host, port } : { path: resolve(socket) },
    ...(adminPort !== undefined && { adminPort }),
    ...(password !== undefined && { password }),
    security: securityOf(flags),
  });
  const admin =
    serving.adminAddress === undefined ? "" : `, admin on http://${serving.adminAddress}`;
  console.log(
    `AFT over ${withoutPassword(flags.storage)} on ${serving.address}${admin}; ${serving.recovered} transactions recovered`,
  );
  return () => serving.close();
}

async function serveCluster(
  flags: ServeFlags,
  target: StorageTarget,
): Promise<() => Promise<void>> {
  const { port, replicas, managers, adminPort } = flags;
  const password = process.env["AFT_BENCH_PASSWORD"];
  const security = securityOf(flags);
  const secrets = password === undefined ? {} : { password };
  // What is wrong with the files is said once, not by every process.
  openSecurity({ config: security, secrets, nowMs: () => 0, onEvent: () => {} });
  readPeerCredentials(security, secrets);
  let serving = false;
  const cluster = await startAftCluster({
    storage: { target },
    replicas,
    managers,
    ...(port !== 0 && { ports: Array.from({ length: replicas }, (_, index) => port + index) }),
    ...(password !== undefined && { password }),
    ...(adminPort !== undefined && {
      withAdmin: adminPort === 0 ? true : { firstPort: adminPort },
    }),
    security,
    reusePorts: true,
    onEvent: (event) => {
      const text = serving ? describeEvent(event) : undefined;
      if (text !== undefined) console.error(text);
    },
  });
  serving = true;
  console.log(`AFT over ${withoutPassword(flags.storage)}, ${replicas} replicas`);
  for (const line of describeProcesses(cluster)) console.log(line);
  return async () => {
    serving = false;
    await cluster.stop();
  };
}

function describeProcesses(cluster: AftCluster): string[] {
  return cluster.processes().map(({ name, endpoint, pid, adminAddress }) => {
    const where = endpoint === "" ? "" : ` on ${endpoint}`;
    const admin = adminAddress === undefined ? "" : `, admin on http://${adminAddress}`;
    return `${name}${where}, pid ${pid}${admin}`;
  });
}

/** What an operator wants to see; `undefined` for the rest. */
function describeEvent({ kind, detail, atMs }: ClusterEvent): string | undefined {
  const at = new Date(atMs).toISOString().slice(11, 23);
  const text = (name: string): string => {
    const value = detail[name];
    return typeof value === "string" || typeof value === "number" ? String(value) : "";
  };
  switch (kind) {
    case "dead":
      return `${at} dead: ${text("id")}, silent for ${text("silentMs")} ms`;
    case "launch":
      return `${at} a replica is started in its place`;
    case "started":
    case "exited":
      return `${at} ${kind}: ${text("name")} ${text("endpoint")}`;
    case "failed":
      return `${at} failed: ${text("what")}: ${text("cause")}`;
    case "launch_failed":
      return `${at} the replica did not start: ${text("message")}`;
    default:
      return undefined;
  }
}
