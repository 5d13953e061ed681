/**
 * @module The role that functions run as: its ARN from its name.
 *
 * AWS is asked. An endpoint that is not AWS has no accounts: there a name stands for itself.
 */
import { ConfigError, describeError } from "#kit/errors.ts";
import { isAws, type LambdaSettings } from "./settings.ts";

/** Account of endpoints without accounts. */
const noAccount = "000000000000";
const flag = "--lambda-role";

/** Rejects with `ConfigError` if AWS has no such role, or does not tell. */
export async function resolveRole(
  { role, region, endpoint }: LambdaSettings,
  say: (line: string) => void = () => {},
): Promise<string> {
  if (role.startsWith("arn:")) return role;
  if (isAws(endpoint)) return askIam(role, region);
  const arn = `arn:aws:iam::${noAccount}:role/${role}`;
  say(`the role "${role}" is not looked up, since the endpoint is not AWS: ${arn}`);
  return arn;
}

async function askIam(role: string, region: string): Promise<string> {
  const { GetRoleCommand, IAMClient, NoSuchEntityException } = await import("@aws-sdk/client-iam");
  const client = new IAMClient({ region });
  try {
    const { Role } = await client.send(new GetRoleCommand({ RoleName: role }));
    if (Role?.Arn !== undefined) return Role.Arn;
    throw new ConfigError([{ where: flag, what: `IAM gave no ARN for "${role}"` }]);
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    const isMissing = cause instanceof NoSuchEntityException;
    const what = isMissing
      ? `the account has no role "${role}"`
      : `"${role}" could not be looked up: ${describeError(cause)}`;
    const hint = isMissing
      ? "make one that lambda.amazonaws.com may assume, with AWSLambdaBasicExecutionRole"
      : "give its ARN, or allow iam:GetRole";
    throw new ConfigError([{ where: flag, what, hint }], { cause });
  } finally {
    client.destroy();
  }
}
