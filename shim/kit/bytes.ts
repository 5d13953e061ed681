/** Bytes as they travel; a Node `Buffer` is one. Never mutated after it was handed over. */
export type Bytes = Uint8Array;

export const kibibyte = 1_024;
export const mebibyte = 1_048_576;
