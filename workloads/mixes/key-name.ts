/** The name of the key with a popularity rank; fixed width, so that all keys cost the same. */
export function keyName(rank: number): string {
  return `k${String(rank).padStart(7, "0")}`;
}
