/** @module What an acknowledged write survives on a Redis server, as its own settings say. */
import { createServerClient } from "#shim/storage/redis/connect.ts";

export type RedisPersistence = Readonly<Record<"appendonly" | "appendfsync" | "save", string>>;

const timeoutMs = 5_000;

/** The policy as a sentence. Rejects only when the server cannot be reached. */
export async function readRedisDurability(url: string): Promise<string> {
  const client = createServerClient(url, timeoutMs);
  try {
    await client.connect();
    const read = async (name: string): Promise<string> => {
      const [, value = ""] = await client.config("GET", name);
      return value;
    };
    return durabilityOf({
      appendonly: await read("appendonly"),
      appendfsync: await read("appendfsync"),
      save: await read("save"),
    });
  } catch (error) {
    // Managed services forbid CONFIG.
    if (error instanceof Error && error.name === "ReplyError")
      return `not known: CONFIG GET is refused (${error.message})`;
    throw error;
  } finally {
    client.disconnect();
  }
}

export function durabilityOf({ appendonly, appendfsync, save }: RedisPersistence): string {
  if (appendonly !== "yes") {
    const [how, since] =
      save === "" ? ["no snapshots", ""] : [`snapshots (save ${save})`, " since the last snapshot"];
    return `appendonly no, ${how}: when redis-server ends, what it acknowledged${since} is lost`;
  }
  const policy = `appendonly yes, appendfsync ${appendfsync}`;
  if (appendfsync === "always") return `${policy}: on the disk before it is acknowledged`;
  const lost = appendfsync === "everysec" ? "about a second" : "what the system had not flushed";
  return `${policy}: a crash of redis-server loses nothing, one of the machine ${lost}`;
}
