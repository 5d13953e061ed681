/**
 * @module Replaces a hung replica in Kubernetes: deletes its pod, and the StatefulSet makes another.
 *
 * Kubernetes itself restarts what has ended; what hangs it finds by its probe, some fifteen seconds
 * later. The fault manager knows after three. Before it deletes it looks: a container that has ended, or
 * has been started since the silence began, is being replaced already and is left alone.
 *
 * It reads and deletes single pods by name, nothing else; `shim/aft/deploy` grants just that. Tested
 * against a server that checks requests, not against a cluster.
 */
import { request } from "node:https";
import { z } from "zod";
import { ProjectError } from "#kit/errors.ts";
import { readSecret, readText } from "#kit/node/secret-files.ts";

export interface KubernetesConfig {
  /** Its pods are `NAME-0`, `NAME-1`, …, and replicas advertise themselves under these names. */
  readonly statefulSet: string;
  /** Default: the pod's own. */
  readonly namespace?: string;
  /** Default: KUBERNETES_SERVICE_HOST and _PORT. */
  readonly apiServer?: string;
  /** Where token, ca.crt and namespace are mounted. */
  readonly accountDirectory?: string;
}

/** What was done about a silent replica. */
export type PodDecision =
  | "deleted"
  /** Ended, or started since: Kubernetes is at it. */
  | "already_restarted"
  | "gone"
  /** Its name is none of the StatefulSet's. */
  | "not_ours";

/** The API did not do what was asked. */
export class KubernetesError extends ProjectError {
  readonly code = "kubernetes_failed";
  readonly disposition = "retry";
}

const defaultAccountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount";
const answerWithinMs = 5_000;
const maxAnswerBytes = 4 * 1_048_576;
/** Killed soon, but confirmed by its node: at most one pod has a name at any time. */
const gracePeriodSeconds = 1;
/** Clocks of nodes differ; whoever started this close to the silence is left to the probes. */
const clockToleranceMs = 5_000;

const podSchema = z.object({
  metadata: z.object({ uid: z.string(), deletionTimestamp: z.string().optional() }),
  status: z
    .object({
      containerStatuses: z
        .array(
          z.object({
            state: z.object({ running: z.object({ startedAt: z.string() }).optional() }).optional(),
          }),
        )
        .optional(),
    })
    .optional(),
});

export class PodReplacer {
  readonly #config: KubernetesConfig;
  readonly #directory: string;
  readonly #nowMs: () => number;

  constructor(config: KubernetesConfig, options: { readonly nowMs: () => number }) {
    this.#config = config;
    this.#directory = config.accountDirectory ?? defaultAccountDirectory;
    this.#nowMs = options.nowMs;
  }

  /** Rejects with `KubernetesError` or, where the account cannot be read, `ConfigError`. */
  async replace(dead: { readonly id: string; readonly silentMs: number }): Promise<PodDecision> {
    const name = podOf(dead.id, this.#config.statefulSet);
    if (name === undefined) return "not_ours";
    const path = `/api/v1/namespaces/${this.#namespace()}/pods/${name}`;
    const found = await this.#ask("GET", path);
    if (found.status === 404) return "gone";
    if (found.status !== 200) throw refused("GET", path, found);
    const pod = podSchema.safeParse(parseJson(found.body));
    if (!pod.success) throw new KubernetesError(`${path} is no pod`);
    const { metadata, status } = pod.data;
    const startedAt = status?.containerStatuses?.[0]?.state?.running?.startedAt;
    const silentSinceMs = this.#nowMs() - dead.silentMs;
    const isHung =
      metadata.deletionTimestamp === undefined &&
      startedAt !== undefined &&
      Date.parse(startedAt) < silentSinceMs - clockToleranceMs;
    if (!isHung) return "already_restarted";
    const deleted = await this.#ask("DELETE", path, {
      apiVersion: "v1",
      kind: "DeleteOptions",
      gracePeriodSeconds,
      // Of this pod, and not of another that has its name meanwhile.
      preconditions: { uid: metadata.uid },
    });
    if (deleted.status === 404) return "gone";
    if (deleted.status === 409) return "already_restarted";
    if (deleted.status !== 200 && deleted.status !== 202) throw refused("DELETE", path, deleted);
    return "deleted";
  }

  #namespace(): string {
    const { namespace } = this.#config;
    return namespace ?? readSecret(`${this.#directory}/namespace`, "kubernetes.namespace");
  }

  /** The token is read each time: it is renewed under us. */
  #ask(method: string, path: string, body?: object): Promise<Answer> {
    const { apiServer = "https://kubernetes.default.svc" } = this.#config;
    const token = readSecret(`${this.#directory}/token`, "kubernetes.accountDirectory");
    const ca = readText(`${this.#directory}/ca.crt`, "kubernetes.accountDirectory");
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const fail = (why: string, cause?: unknown): void => {
        reject(new KubernetesError(`${method} ${path}: ${why}`, { cause }));
      };
      const asked = request(
        new URL(path, apiServer),
        {
          method,
          ca,
          timeout: answerWithinMs,
          headers: {
            accept: "application/json",
            authorization: `Bearer ${token}`,
            ...(text !== undefined && {
              "content-type": "application/json",
              "content-length": Buffer.byteLength(text),
            }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          let size = 0;
          response.on("data", (chunk: Buffer) => {
            size += chunk.length;
            if (size > maxAnswerBytes) asked.destroy(new Error("the answer is too long"));
            else chunks.push(chunk);
          });
          response.on("end", () => {
            resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
          });
        },
      );
      asked.on("timeout", () => asked.destroy(new Error("no answer")));
      asked.on("error", (cause) => {
        fail("the API server cannot be reached", cause);
      });
      asked.end(text);
    });
  }
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** The pod a member runs in: the first label of the name it advertises. */
export function podOf(memberId: string, statefulSet: string): string | undefined {
  const [host = ""] = memberId.split(":");
  const [label = ""] = host.split(".");
  const ordinal = label.startsWith(`${statefulSet}-`) ? label.slice(statefulSet.length + 1) : "";
  return /^\d+$/.test(ordinal) ? label : undefined;
}

function refused(method: string, path: string, { status, body }: Answer): KubernetesError {
  const said = z.object({ message: z.string() }).safeParse(parseJson(body));
  const why = said.success ? `: ${said.data.message.slice(0, 300)}` : "";
  return new KubernetesError(`${method} ${path} was answered with ${status}${why}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
