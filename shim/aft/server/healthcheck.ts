/**
 * @module Health check of a container: exit 0 if the admin port answers, 1 otherwise.
 *
 *   node healthcheck.ts [path]      AFT_LISTEN_HOST, AFT_ADMIN_PORT; default 127.0.0.1, 9390, /healthz
 */
const { AFT_LISTEN_HOST: host = "127.0.0.1", AFT_ADMIN_PORT: port = "9390" } = process.env;
const path = process.argv[2] ?? "/healthz";

try {
  const { ok } = await fetch(`http://${host}:${port}${path}`, {
    signal: AbortSignal.timeout(2_000),
  });
  process.exit(ok ? 0 : 1);
} catch {
  process.exit(1);
}
