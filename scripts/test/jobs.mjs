/**
 * The jobs of CI. Each suite is in one job, and `npm test -- job:code` runs the suites of a job. test/unit/scripts/workflows.test.ts compares the
 * jobs with .github/workflows/ci.yml and with vitest.config.ts.
 */
export const jobs = {
  code: ["native", "python", "unit"],
  surfaces: ["agent", "network", "cli", "mcp", "daemon", "web"],
  microvms: ["smoke", "guest"],
  product: ["lab", "checks", "package"]
}
