import { expectAll } from "./expect.mjs"

/** Files of the guest suite that prove what depends on the accelerator: capture, restore, disks, memory, clock. */
const files = ["test/guest/capture.test.ts"]

/** The guest suite's core, run by its own runner. */
export const core = (accelerator, seconds) =>
  files.map((file) => ({
    accelerator,
    user: "dev",
    what: file,
    seconds,
    check: async (perform) =>
      expectAll(
        await perform(
          `cd ~/pyro && node node_modules/vitest/vitest.mjs run --project guest --reporter=verbose --no-color ${file} 2>&1`
        ),
        [
          ["status 0", ({ status }) => status === 0],
          ["tests that passed", ({ stdout }) => /Tests +\d+ passed/.test(stdout)],
          ["none skipped", ({ stdout }) => !/Tests .*skipped/.test(stdout)]
        ]
      )
  }))
