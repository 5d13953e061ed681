/**
 * @module The part of etcd's client API (version 3) that is used, as JSON of its gRPC gateway: keys and values in
 * base64, 64-bit numbers as text, fields that have their default left out.
 */
import type { Bytes } from "#kit/bytes.ts";

export interface RangeRequest {
  readonly key: string;
  /** Absent: the newest. */
  readonly revision?: string;
}

export interface PutRequest {
  readonly key: string;
  readonly value: string;
}

export type Compare =
  /** Not changed since a revision: the last change is below the next one. */
  | {
      readonly key: string;
      readonly target: "MOD";
      readonly result: "LESS";
      readonly mod_revision: string;
    }
  /** Not there. */
  | {
      readonly key: string;
      readonly target: "CREATE";
      readonly result: "EQUAL";
      readonly create_revision: string;
    };

export type Operation =
  { readonly request_range: RangeRequest } | { readonly request_put: PutRequest };

/** All of `success` if every comparison holds, otherwise all of `failure`; at one revision. */
export interface TxnRequest {
  readonly compare: readonly Compare[];
  readonly success: readonly Operation[];
  readonly failure: readonly Operation[];
}

export interface KeyValue {
  readonly key: string;
  readonly value?: string;
  readonly mod_revision?: string;
}

export interface RangeResponse {
  readonly header?: { readonly revision?: string };
  readonly kvs?: readonly KeyValue[];
}

export interface TxnResponse {
  readonly header?: { readonly revision?: string };
  readonly succeeded?: boolean;
  readonly responses?: readonly { readonly response_range?: RangeResponse }[];
}

export function encodeText(text: string): string {
  return Buffer.from(text).toString("base64");
}

export function encodeBytes(value: Bytes): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
}

export function decodeBytes(text: string | undefined): Buffer {
  return Buffer.from(text ?? "", "base64");
}

/** Of a response; what is left out is zero. */
export function revisionOf({ header }: Pick<RangeResponse, "header">): number {
  return Number(header?.revision ?? 0);
}

export function unchangedSince(key: string, revision: number): Compare {
  return { key, target: "MOD", result: "LESS", mod_revision: String(revision + 1) };
}

export function absent(key: string): Compare {
  return { key, target: "CREATE", result: "EQUAL", create_revision: "0" };
}
