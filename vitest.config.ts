import { defineConfig } from "vitest/config"
import { installedFrameworks } from "./test/frameworks/installed.ts"
import { LongestFirst } from "./test/support/run/longest-first.ts"

/**
 * CI runs a failed test once more, and its report names the test: a loaded host may make a test of real processes miss its moment.
 * Without CI a test has one chance, so that its author sees the failure.
 */
const retry = /^(true|1)$/.test(process.env["CI"] ?? "") ? 1 : 0

/** Tests of one kind, in the folder of that name. */
const project = (
  name: string,
  timeouts = { testTimeout: 60_000, hookTimeout: 60_000 },
  setupFiles: ReadonlyArray<string> = [],
  more: { readonly include?: Array<string>; readonly env?: Readonly<Record<string, string>> } = {}
) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    retry,
    setupFiles: ["test/support/run/own-variables.ts", "test/support/run/retried.ts", ...setupFiles],
    ...timeouts,
    ...more
  }
})

const ofMicroVms = { testTimeout: 300_000, hookTimeout: 600_000 }

/**
 * One project per kind of test: what needs nothing first, real microVMs last, and the longest file of each kind first. Two files run at
 * a time: a guest keeps one core busy at most, and waits as often. So a file looks only at what is its own, its state directory above
 * all, and compares times only with its own.
 */
export default defineConfig({
  test: {
    reporters: ["default"],
    // A test that sees another's global state is a defect of the test; a file of its own process keeps that visible.
    pool: "forks",
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    globalSetup: ["test/support/run/made-folder.ts"],
    // In the order in which they run.
    projects: [
      project("unit"),
      project("agent"),
      // Namespaces as "the internet", "the LAN" and "the host".
      project("network"),
      project("cli"),
      project("mcp"),
      project("daemon"),
      // The page in Chromium.
      project("web", { testTimeout: 120_000, hookTimeout: 120_000 }),
      // What npm installs, on the oldest Node, the pinned one, and Deno.
      project("package"),
      // The use cases of the documents, on real projects. Each file takes a minute, so that the short files of `guest` come last.
      project("smoke", { testTimeout: 900_000, hookTimeout: 600_000 }),
      project("guest", ofMicroVms, ["test/support/run/no-pool.ts"]),
      // The same on every Node that users have, and on Bun: `npm run test:runtimes`.
      project("runtimes", undefined, [], {
        include: ["test/package/**/*.test.ts"],
        env: { PYRO_TEST_RUNTIMES: "all" }
      }),
      // Storms, bad days, and the largest trees and files: `npm run test:soak`; `npm test` has one small case of each kind.
      project("soak", ofMicroVms),
      // Images and builders beyond the common cases: `npm run test:images`; `npm test` has one small case of each kind.
      project("images", ofMicroVms),
      // Agent hosts from npm: `npm run test:hosts` installs and runs them; `npm test` does not.
      project("hosts", ofMicroVms),
      // Agent frameworks from npm: `npm run test:frameworks` installs them; `npm test` does not.
      { ...project("frameworks", { testTimeout: 900_000, hookTimeout: 600_000 }), plugins: [installedFrameworks] },
      // The programs of docs/adapters, as printed: `npm run test:frameworks`.
      project("programs", { testTimeout: 2_400_000, hookTimeout: 600_000 }),
      // Dependencies of real projects: `npm run test:projects`.
      project("projects", { testTimeout: 900_000, hookTimeout: 600_000 }),
      // The client on Node for arm64, emulated: `npm run test:arm64-client`; `npm test` does not have it.
      project("arm64-client", ofMicroVms),
      // Clients of registries, some of which need the internet, Docker and podman: `npm run test:clients` runs them; `npm test` does not.
      project("clients", { testTimeout: 900_000, hookTimeout: 1_800_000 })
    ]
  }
})
