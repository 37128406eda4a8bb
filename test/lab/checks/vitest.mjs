import { expectAll } from "./expect.mjs"

/** Runs files of one project of the test suite by its own runner, without the tests whose title has one of the texts in `leaveOut`. */
export const vitest = (project, files, leaveOut = []) => async (perform) => {
  const titles = leaveOut.length === 0 ? "" : `--testNamePattern '^(?!.*(${leaveOut.join("|")}))' `
  return expectAll(
    await perform(
      `cd ~/pyro && node node_modules/vitest/vitest.mjs run --project ${project} --testTimeout 900000 --hookTimeout 900000 ` +
        `--reporter=verbose --no-color ${titles}${files.join(" ")} 2>&1`
    ),
    [["status 0", ({ status }) => status === 0], [
      "tests that passed",
      ({ stdout }) => /Tests +\d+ passed/.test(stdout)
    ]]
  )
}
