import { defineConfig } from "vitest/config"

/**
 * One project per kind of test, run one after the other: what needs nothing first, real microVMs last. Two files run at a time: a guest
 * keeps one core busy at most, and waits as often. So a file looks only at what is its own, its state directory above all, and
 * compares times only with its own.
 */
export default defineConfig({
  test: {
    reporters: ["default"],
    // A test that sees another's global state is a defect of the test; a file of its own process keeps that visible.
    pool: "forks",
    poolOptions: { forks: { minForks: 1, maxForks: 2 } },
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 }
        }
      },
      {
        test: {
          name: "agent",
          include: ["test/agent/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 }
        }
      },
      {
        test: {
          name: "cli",
          include: ["test/cli/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 2 }
        }
      },
      {
        test: {
          name: "mcp",
          include: ["test/mcp/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 3 }
        }
      },
      {
        test: {
          name: "daemon",
          include: ["test/daemon/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 4 }
        }
      },
      {
        test: {
          name: "guest",
          include: ["test/guest/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          sequence: { groupOrder: 5 }
        }
      },
      {
        // Agent hosts from npm: `npm run test:hosts` installs and runs them; `npm test` does not.
        test: {
          name: "hosts",
          include: ["test/hosts/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          sequence: { groupOrder: 6 }
        }
      }
    ]
  }
})
