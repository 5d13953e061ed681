/**
 * @module Configuration of a process, as its environment gives it; checked whole before anything starts.
 *
 *   AFT_REPLICA_CONFIG, AFT_MANAGER_CONFIG   JSON; or the same name with _FILE: a file that holds it
 *   AFT_STORAGE                              a storage URL instead of `storage`; may hold a password
 *   AFT_LISTEN_HOST, AFT_ADVERTISE           instead of `listen.host` (and `adminHost`), `cluster.advertise`
 *   KUBERNETES_SERVICE_HOST, _PORT           instead of `kubernetes.apiServer`
 *   AFT_USERS, AFT_PEER_PASSWORD             what must not be in a configuration (`security.ts`)
 *
 * Messages name fields and never repeat values: one of them may be a password.
 */
import { z } from "zod";
import { ConfigError, type ConfigProblem } from "#kit/errors.ts";
import { readText } from "#kit/node/secret-files.ts";
import { parseStorageUrl } from "#shim/storage/registry.ts";
import { defaultManagerSettings } from "../cluster/manager.ts";
import { defaultClusterSettings } from "../cluster/port.ts";
import { defaultReplicaSettings } from "../replica/options.ts";
import type { SecretTexts } from "./access/security.ts";
import type { ManagerConfig } from "./manager.ts";
import type { ReplicaConfig } from "./serve.ts";
import { defaultServerLimits } from "./server.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Configured<T> {
  readonly config: T;
  readonly secrets: SecretTexts;
}

const port = z.int().min(0).max(65_535);
const text = z.string().min(1);

/** Settings have the names and kinds of their defaults. */
function partOf(defaults: object): z.ZodObject {
  return z.strictObject(
    Object.fromEntries(
      Object.entries(defaults).map(([name, value]) => [name, kindOf(value).optional()]),
    ),
  );
}

function kindOf(value: unknown): z.ZodType {
  if (typeof value === "number") return z.number().nonnegative();
  if (typeof value === "boolean") return z.boolean();
  return Array.isArray(value) ? z.array(text) : text;
}

const storage = z.strictObject({
  target: z.discriminatedUnion("engine", [
    z.strictObject({ engine: z.literal("memory") }),
    z.strictObject({ engine: z.literal("lmdb"), directory: text }),
    z.strictObject({
      engine: z.literal("redis"),
      urls: z.array(text).min(1),
      cluster: z.boolean(),
    }),
    z.strictObject({
      engine: z.literal("dynamodb"),
      table: text,
      region: text,
      endpoint: text.optional(),
    }),
    z.strictObject({
      engine: z.literal("s3"),
      bucket: text,
      region: text,
      endpoint: text.optional(),
    }),
    z.strictObject({
      engine: z.literal("module"),
      modulePath: text,
      options: z.record(z.string(), z.unknown()),
    }),
  ]),
  emulation: z
    .strictObject({ profile: text, seed: z.number(), coarse: z.boolean().optional() })
    .optional(),
});

const security = z.strictObject({
  usersFile: text.optional(),
  tls: z
    .strictObject({
      certFile: text.optional(),
      keyFile: text.optional(),
      caFile: text.optional(),
      peerCaFile: text.optional(),
    })
    .optional(),
  peer: z.strictObject({ username: text.optional(), passwordFile: text.optional() }).optional(),
  allowUnprotected: z.boolean().optional(),
  reloadMs: z.number().nonnegative().optional(),
});

const shared = {
  storage,
  adminPort: port.optional(),
  adminHost: text.optional(),
  password: text.optional(),
  security: security.optional(),
};

const replicaConfig = z.strictObject({
  ...shared,
  listen: z.union([z.strictObject({ host: text, port }), z.strictObject({ path: text })]),
  settings: partOf(defaultReplicaSettings).optional(),
  cluster: partOf({ ...defaultClusterSettings, advertise: "", debug: false }).optional(),
  limits: partOf(defaultServerLimits).optional(),
});

const managerConfig = z.strictObject({
  ...shared,
  namespace: text.optional(),
  settings: partOf(defaultManagerSettings).extend({ seeds: z.array(text).min(1) }),
  launcher: z.enum(["parent", "kubernetes", "none"]).optional(),
  kubernetes: z
    .strictObject({
      statefulSet: text,
      namespace: text.optional(),
      apiServer: z.url({ protocol: /^https$/ }).optional(),
      accountDirectory: text.optional(),
    })
    .optional(),
});

/** @throws ConfigError */
export function readReplicaConfig(environment: Environment): Configured<ReplicaConfig> {
  const where = "AFT_REPLICA_CONFIG";
  const raw = readObject(environment, where);
  const host = environment["AFT_LISTEN_HOST"];
  const advertise = environment["AFT_ADVERTISE"];
  const merged = {
    ...withPlace(raw, environment),
    ...(host !== undefined && { listen: { ...asObject(raw["listen"]), host } }),
    ...(advertise !== undefined && { cluster: { ...asObject(raw["cluster"]), advertise } }),
  };
  const config = checked(replicaConfig, merged, where) as ReplicaConfig;
  return { config, secrets: secretsOf(environment) };
}

/** @throws ConfigError */
export function readManagerConfig(environment: Environment): Configured<ManagerConfig> {
  const where = "AFT_MANAGER_CONFIG";
  const raw = readObject(environment, where);
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: apiPort = "443" } = environment;
  const merged = {
    ...withPlace(raw, environment),
    ...(raw["kubernetes"] !== undefined &&
      host !== undefined && {
        kubernetes: { apiServer: apiServerAt(host, apiPort), ...asObject(raw["kubernetes"]) },
      }),
  };
  const config = checked(managerConfig, merged, where) as ManagerConfig;
  if (config.launcher === "kubernetes" && config.kubernetes === undefined) {
    const what = "is needed for this launcher";
    throw new ConfigError([{ where: `${where}: kubernetes`, what, hint: '{ "statefulSet": … }' }]);
  }
  return { config, secrets: secretsOf(environment) };
}

function apiServerAt(host: string, apiPort: string): string {
  return `https://${host.includes(":") ? `[${host}]` : host}:${apiPort}`;
}

function withPlace(
  raw: Readonly<Record<string, unknown>>,
  environment: Environment,
): Readonly<Record<string, unknown>> {
  const url = environment["AFT_STORAGE"];
  const host = environment["AFT_LISTEN_HOST"];
  return {
    ...raw,
    ...(host !== undefined && raw["adminPort"] !== undefined && { adminHost: host }),
    ...(url !== undefined && {
      storage: { ...asObject(raw["storage"]), target: parseStorageUrl(url, "AFT_STORAGE") },
    }),
  };
}

function secretsOf(environment: Environment): SecretTexts {
  const users = environment["AFT_USERS"];
  const peerPassword = environment["AFT_PEER_PASSWORD"];
  return {
    ...(users !== undefined && { users }),
    ...(peerPassword !== undefined && { peerPassword }),
  };
}

function readObject(environment: Environment, name: string): Readonly<Record<string, unknown>> {
  const file = environment[`${name}_FILE`];
  const given = file === undefined ? environment[name] : readText(file, `${name}_FILE`);
  const where = file ?? name;
  const hint = `JSON in ${name}, or a file named by ${name}_FILE`;
  if (given === undefined) throw new ConfigError([{ where, what: "is not set", hint }]);
  let parsed: unknown;
  try {
    parsed = JSON.parse(given);
  } catch {
    // The parser's own message repeats part of the text.
    throw new ConfigError([{ where, what: "is not JSON" }]);
  }
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
  throw new ConfigError([{ where, what: "is no JSON object" }]);
}

function asObject(value: unknown): object {
  return typeof value === "object" && value !== null ? value : {};
}

/** The value itself, not the validator's copy of it. */
function checked(schema: z.ZodType, value: unknown, where: string): unknown {
  const result = schema.safeParse(value);
  if (result.success) return value;
  const problems = result.error.issues.map(({ path, message }): ConfigProblem => {
    const at = path.map(String).join(".");
    return { where: at === "" ? where : `${where}: ${at}`, what: message };
  });
  throw new ConfigError(problems);
}
