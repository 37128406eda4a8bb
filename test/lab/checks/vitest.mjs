import { expectAll } from "./expect.mjs"

/**
 * Runs files of one project of the test suite by its own runner: the tests whose title has the text `only`, without those whose title has
 * one of the texts in `leaveOut`.
 */
export const vitest = (project, files, { leaveOut = [], only = "" } = {}) => async (perform) => {
  const without = leaveOut.length === 0 ? "" : `(?!.*(${leaveOut.join("|")}))`
  const titles = without + only === "" ? "" : `--testNamePattern '^${without}.*${only}' `
  return expectAll(
    await perform(
      "cd /home/dev/pyro && node --import ./test/lab/guest/group-by.mjs node_modules/vitest/vitest.mjs run " +
        `--project ${project} --testTimeout 1800000 --hookTimeout 1800000 --reporter=verbose --no-color ${titles}${
          files.join(" ")
        } 2>&1`
    ),
    [["status 0", ({ status }) => status === 0], [
      "tests that passed",
      ({ stdout }) => /Tests +\d+ passed/.test(stdout)
    ]]
  )
}

/** On the file system of the cache: each workspace would copy its environment else. */
export const besideCache = (check) => (perform) =>
  check((script) => perform(`mkdir -p ~/pyro/tmp; export TMPDIR=~/pyro/tmp\n${script}`))
