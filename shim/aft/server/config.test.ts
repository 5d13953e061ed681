/**
 * Goal    A process takes its configuration from the environment or says all that is wrong with it,
 *         and gives no secret away while doing so.
 * Method  Environments as containers and the suite give them; every error is searched for secrets.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConfigError } from "#kit/errors.ts";
import { parseStorageUrl } from "#shim/storage/registry.ts";
import { withoutPassword, withoutSecrets } from "#shim/storage/target.ts";
import { type Environment, readManagerConfig, readReplicaConfig } from "./config.ts";
import { errorFields } from "./log.ts";

const secret = "s3cr3t-word";
const listen = { host: "127.0.0.1", port: 0 };
const storage = { target: { engine: "memory" } };
const directory = mkdtempSync(join(tmpdir(), "aft-bench-config-"));
const file = join(directory, "replica.json");

beforeAll(() => {
  writeFileSync(file, JSON.stringify({ listen: { port: 6_390 }, adminPort: 9_390, cluster: {} }));
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

function replicaProblem(environment: Environment): string {
  try {
    readReplicaConfig(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).not.toContain(secret);
    expect(String((error as ConfigError).cause)).not.toContain(secret);
    return (error as ConfigError).message;
  }
  return "none";
}

describe("the configuration of a process", () => {
  it("comes from a variable, or from a file with what differs between containers beside it", () => {
    const config = { storage, listen, settings: { gcBatch: 7 } };
    expect(readReplicaConfig({ AFT_REPLICA_CONFIG: JSON.stringify(config) }).config).toEqual(
      config,
    );
    const inContainer = readReplicaConfig({
      AFT_REPLICA_CONFIG_FILE: file,
      AFT_STORAGE: `redis-cluster://u:${secret}@a:6379,b:6379`,
      AFT_LISTEN_HOST: "10.1.2.3",
      AFT_ADVERTISE: "aft-0.aft:6390",
      AFT_USERS: "user a on >b +@client",
      AFT_PEER_PASSWORD: secret,
    });
    expect(inContainer.config).toMatchObject({
      listen: { host: "10.1.2.3", port: 6_390 },
      adminPort: 9_390,
      adminHost: "10.1.2.3",
      cluster: { advertise: "aft-0.aft:6390" },
      storage: { target: { engine: "redis", cluster: true } },
    });
    expect(inContainer.secrets).toEqual({
      users: "user a on >b +@client",
      peerPassword: secret,
    });
    const manager = { storage, settings: { seeds: ["a:1"], replicas: 3 } };
    expect(readManagerConfig({ AFT_MANAGER_CONFIG: JSON.stringify(manager) }).config).toEqual(
      manager,
    );
  });

  it.each([
    ["is not set", {}],
    ["is not JSON", { AFT_REPLICA_CONFIG: `{"password": "${secret}" "` }],
    ["is no JSON object", { AFT_REPLICA_CONFIG: `["${secret}"]` }],
    ["cannot be read", { AFT_REPLICA_CONFIG_FILE: join(directory, "none.json") }],
    ["listen", { AFT_REPLICA_CONFIG: JSON.stringify({ storage }) }],
    ["storage", { AFT_REPLICA_CONFIG: JSON.stringify({ listen }) }],
    ["pasword", { AFT_REPLICA_CONFIG: JSON.stringify({ storage, listen, pasword: secret }) }],
    [
      "settings.gcBatch",
      { AFT_REPLICA_CONFIG: JSON.stringify({ storage, listen, settings: { gcBatch: secret } }) },
    ],
    [
      "settings",
      { AFT_REPLICA_CONFIG: JSON.stringify({ storage, listen, settings: { gcBach: 1 } }) },
    ],
    ["AFT_STORAGE", { AFT_REPLICA_CONFIG_FILE: file, AFT_STORAGE: `redi://u:${secret}@h:1` }],
  ])("%s: is said", (problem, environment) => {
    expect(replicaProblem(environment)).toContain(problem);
  });
});

describe("what is shown", () => {
  it.each([
    [`redis://u:${secret}@h:1/0`, "redis://***@h:1/0"],
    [`redis://:${secret}/with@sign@h:1`, "redis://***@h:1"],
    [`redis-cluster://u:${secret}@a:1,u:${secret}@b:2`, "redis-cluster://***@b:2"],
    [`u:${secret}@h:1`, "***@h:1"],
    ["redis://h:1", "redis://h:1"],
    ["lmdb:./data", "lmdb:./data"],
  ])("of %j is %j", (url, shown) => {
    expect(withoutPassword(url)).toBe(shown);
  });

  it("of a store has no password", () => {
    const target = parseStorageUrl(`redis://u:${secret}@h:1`);
    expect(JSON.stringify(target)).toContain(secret);
    expect(JSON.stringify(withoutSecrets({ target }))).not.toContain(secret);
  });

  it("of an error in a log leaves out the command that it was an answer to", () => {
    const command = { name: "auth", args: [secret] };
    const error = Object.assign(new Error("WRONGPASS no"), { command });
    const cause = new Error("outer", { cause: error });
    expect(JSON.stringify([errorFields(error), errorFields(cause)])).not.toContain(secret);
    expect(errorFields(cause)["message"]).toBe("outer: WRONGPASS no");
  });
});
