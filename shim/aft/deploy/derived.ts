/** @module What is committed although it follows from the code: see `update.ts`. */
import { defaultDeployOptions, type DeployOptions } from "./options.ts";

/** One for each kind of storage. */
export const examples: Readonly<Record<string, DeployOptions>> = {
  "redis-cluster": { ...defaultDeployOptions, maxReplicas: 8 },
  "redis-with-password": {
    ...defaultDeployOptions,
    storage: "redis://redis:6379",
    storageSecret: "aft-storage",
  },
  dynamodb: {
    ...defaultDeployOptions,
    storage: "dynamodb:aft?region=eu-central-1",
    awsRole: "arn:aws:iam::123456789012:role/aft",
  },
  s3: {
    ...defaultDeployOptions,
    storage: "s3://aft-state?region=eu-central-1",
    awsRole: "arn:aws:iam::123456789012:role/aft",
  },
};

/** In `rendered/`, so that a change of the manifests shows as one. */
export const committedExample = "redis-cluster";

/** What the server imports; the rest of the repository's dependencies is for measuring. */
export const imageDependencies: readonly string[] = [
  "@aws-sdk/client-dynamodb",
  "@aws-sdk/client-s3",
  "ioredis",
  "lmdb",
  "pino",
  "prom-client",
  "pure-rand",
  "zod",
];

/** The `package.json` of the image, from that of the repository. */
export function imagePackage(own: {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}): Readonly<Record<string, unknown>> {
  return {
    name: "aft",
    version: own.version,
    description: "What the container image installs; made by npm run deploy:update",
    license: "Apache-2.0",
    private: true,
    type: "module",
    engines: { node: ">=24" },
    imports: { "#kit/*": "./shim/kit/*", "#shim/*": "./shim/*" },
    dependencies: Object.fromEntries(
      imageDependencies.map((name) => [name, own.dependencies[name]]),
    ),
  };
}
