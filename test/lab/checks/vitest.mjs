import { expectAll } from "./expect.mjs"

/** Runs files of one project of the test suite by its own runner. */
export const vitest = (project, files) => async (perform) =>
  expectAll(
    await perform(
      `cd ~/pyro && node node_modules/vitest/vitest.mjs run --project ${project} --testTimeout 900000 --hookTimeout 900000 ` +
        `--reporter=verbose --no-color ${files.join(" ")} 2>&1`
    ),
    [["status 0", ({ status }) => status === 0], [
      "tests that passed",
      ({ stdout }) => /Tests +\d+ passed/.test(stdout)
    ]]
  )
