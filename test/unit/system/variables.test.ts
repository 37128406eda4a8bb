import { afterEach, assert, describe, it } from "vitest"
import { wholeNumberOf } from "../../../src/system/variables.ts"

describe("a number in the environment", () => {
  afterEach(() => {
    delete process.env["PYRO_TEST_NUMBER"]
  })

  it.each([["0", 0], ["300", 300], ["", undefined], ["abc", undefined], ["10m", undefined], ["-1", undefined]])(
    "%j is %s",
    (said, number) => {
      process.env["PYRO_TEST_NUMBER"] = said
      assert.strictEqual(wholeNumberOf("PYRO_TEST_NUMBER"), number)
    }
  )

  it("is none where nothing is said", () => assert.isUndefined(wholeNumberOf("PYRO_TEST_NUMBER")))
})
