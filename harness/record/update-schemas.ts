/** @module `npm run schemas:update`: publishes the JSON schemas of the record from the ones it is checked with. */
import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { publishedSchemas } from "./schema.ts";
import { stableJson } from "./stable-json.ts";

const directory = fileURLToPath(new URL("schemas/", import.meta.url));
await mkdir(directory, { recursive: true });
for (const [name, schema] of Object.entries(publishedSchemas()))
  await writeFile(`${directory}${name}`, stableJson(schema));
