/**
 * @module How Node should be started for a replica.
 *
 * A replica's objects live for about as long as a version stays the newest, tenths of a second under
 * load: longer than V8's default young generation lasts, which then copies them twice and collects
 * the old generation often. With 32 MiB most are gone before anybody looks at them.
 */
export const replicaNodeArguments = ["--min-semi-space-size=32", "--max-semi-space-size=32"];
