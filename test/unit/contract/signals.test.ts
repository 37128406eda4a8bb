import { constants } from "node:os"
import { assert, describe, it } from "vitest"
import { signalNumber } from "../../../src/contract/text/signals.ts"

describe("names of signals", () => {
  it("every signal of the host has the guest's number, with and without SIG", () => {
    for (const [name, number] of Object.entries(constants.signals)) {
      // Not in Linux's own list of names: signal(7) calls it obsolete.
      if (name === "SIGUNUSED") continue
      assert.strictEqual(signalNumber(name), number, name)
      assert.strictEqual(signalNumber(name.slice(3).toLowerCase()), number, name)
    }
  })

  it.each([["1", 1], ["64", 64], ["RTMIN", 34], ["SIGRTMIN+1", 35], ["rtmax-30", 34], ["RTMAX", 64]])(
    "%s is the signal %i",
    (text, number) => assert.strictEqual(signalNumber(text), number)
  )

  it.each([
    "",
    "0",
    "65",
    "-9",
    "SIG",
    "SIG9",
    "TERM+1",
    "RTMIN+31",
    "RTMAX-31",
    "RTMIN-1",
    "RTMAX+1",
    "constructor",
    "TE RM"
  ])(
    "%j is no signal",
    (text) => assert.isUndefined(signalNumber(text))
  )
})
