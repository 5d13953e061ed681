/**
 * @module What Lambda charges, as data. An estimate, never a bill: free tier, data transfer, logs and
 * the store are not in it.
 */
export const lambdaPrices = {
  source: "https://aws.amazon.com/lambda/pricing/, us-east-1, first tier",
  asOf: "2025-06",
  usdPerRequest: 0.2 / 1e6,
  usdPerGibSecond: { x86_64: 0.0000166667, arm64: 0.0000133334 },
  usdPerProvisionedGibSecond: { x86_64: 0.0000041667, arm64: 0.0000033334 },
} as const;
