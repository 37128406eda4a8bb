import { assert, describe, it } from "vitest"
import { stepText } from "../../../apps/web/src/parts/step-text.ts"
import { OPTIONS } from "../../../apps/web/src/review/options.ts"
import { option } from "../../../src/contract/errors/next-step.ts"
import { withWorkspace } from "../../../src/contract/rows/next-steps.ts"
import { errorSamples } from "../../support/daemon/error-samples.ts"

describe("the next steps of errors on the page", () => {
  it("each is a label, with a command for a terminal at most", () => {
    const steps = errorSamples.flatMap((error) => withWorkspace(error, "fix").next.map((step) => ({ error, step })))
    assert.isAbove(steps.length, 200)
    for (const { error, step } of steps) {
      const { line, says } = stepText(step)
      assert.include(says, step.label, error._tag)
      assert.notMatch(says, /(^|\s)--[a-z]/, error._tag)
      if (line !== undefined) assert.match(line, /^(pyro|sudo|docker|export|unset) /, error._tag)
    }
  })

  it("an option that the view has is named as the view shows it", () => {
    assert.deepStrictEqual(stepText(option("Replace files and links", "overwrite", true), OPTIONS), {
      says: "Replace files and links: check \"Replace the file if it exists\""
    })
  })
})
