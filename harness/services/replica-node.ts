/**
 * @module How Node should be started for a replica.
 *
 * A replica's objects live for about as long as a version stays the newest, tenths of a second under
 * load: longer than V8's default young generation lasts, which then copies them twice and collects
 * the old generation often. With 64 MiB most are gone before anybody looks at them. V8 begins to mark
 * the old generation as soon as less than a young generation is left of its limit, which for a small
 * heap with a large young generation is always; so it is told how full is full.
 */
export const replicaNodeArguments = [
  "--min-semi-space-size=64",
  "--max-semi-space-size=64",
  "--incremental-marking-soft-trigger=80",
  "--incremental-marking-hard-trigger=90",
];
