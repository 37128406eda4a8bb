import { assert, it } from "vitest"
import { on, REAL_TERMINAL } from "./on.ts"

const notice = "err pyro: notice: the command reads this terminal until Ctrl-D. A program that needs a terminal: -it\n"

it.each([
  [["run", "debian:12", "-i", "--", "cat"], REAL_TERMINAL, true],
  [["run", "debian:12", "-it", "--", "cat"], REAL_TERMINAL, false],
  [["run", "debian:12", "--", "cat"], REAL_TERMINAL, false],
  [["run", "debian:12", "-i", "--quiet", "--", "cat"], REAL_TERMINAL, false],
  [["run", "debian:12", "-i", "--", "cat"], {}, false]
])("%j says how its input ends if that is a terminal", async (argv, terminal, says) => {
  const { journal } = await on(argv, { terminal })
  assert.strictEqual(journal.includes(notice), says, journal.join(""))
})
