/** JSON whose bytes depend on the value alone: keys in the order given, two spaces, one newline. */
export function stableJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
