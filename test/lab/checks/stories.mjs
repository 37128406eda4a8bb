import { asUser } from "./as.mjs"
import { expectAll } from "./expect.mjs"
import { onDriver } from "./firecracker.mjs"
import { besideCache, vitest } from "./vitest.mjs"

/**
 * Tests that type the stories of README.md and of the pages that its stories name. Each leaves its installation empty. What is left out
 * needs registries, which the machine does not have, or a host with agents: `notRun` of test/support/documents/not-run.ts gives the reasons.
 */
const stories = [
  ["docs/first-run.md", "test/guest/first-run.test.ts"],
  ["README.md", "test/guest/docs.test.ts", "the commands of README.md run"],
  ["pyro attach", "test/guest/workspace-attach.test.ts"],
  ["pyro demo", "test/guest/demo.test.ts"],
  ["docs/first-run.md by a program", "test/guest/sdk-first-run.test.ts"],
  ["docs/first-run.md by MCP clients", "test/guest/mcp-first-run.test.ts"],
  ["examples/", "test/guest/examples.test.ts"]
]

/** That the first workspaces start at once: the pages show no message of a template that is made. */
const prepared = async (perform) =>
  expectAll(await perform("pyro prepare && pyro daemon stop"), [
    ["status 0", ({ status }) => status === 0],
    ["an environment that is ready", ({ stdout }) => /^debian:12 is ready$/m.test(stdout)]
  ])

/** The stories on one driver, as an ordinary user on KVM. */
export const storiesOn = (driver, seconds) => [
  asUser("KVM", "pyro prepare", seconds, onDriver(driver, prepared)),
  ...stories.map(([what, file, only]) =>
    asUser("KVM", `the story of ${what}`, seconds, onDriver(driver, besideCache(vitest("guest", [file], { only }))))
  )
]
