import { assert, describe, it } from "vitest"
import { isLossyVariable, lossyArgument } from "../../../../src/system/settings/own-bytes.ts"

const latin1 = (text: string) => Buffer.from(text, "latin1")

describe("what Node could not decode of its own process", () => {
  it("the first argument that is not UTF-8 has its position and the part around its bytes", () => {
    const words = ["exec", `${"é".repeat(100)}\ufffd${"x".repeat(100)}`]
    const own = () => [
      latin1("node"),
      latin1("pyro"),
      latin1("exec"),
      Buffer.concat([
        Buffer.from("é".repeat(100)),
        latin1("\xe9"),
        Buffer.from("x".repeat(100))
      ])
    ]
    assert.deepStrictEqual(lossyArgument(words, own), {
      position: 2,
      text: `"${"\\303\\251".repeat(30)}\\351${"x".repeat(19)}"`
    })
  })

  it("a U+FFFD that was typed is not lossy, and words without one are not compared", () => {
    assert.isUndefined(lossyArgument(["\ufffd"], () => [Buffer.from("\ufffd")]))
    assert.isUndefined(lossyArgument(["é"], () => assert.fail("compared")))
    assert.isFalse(isLossyVariable("A", "\ufffd", () => [Buffer.from("A=\ufffd")]))
    assert.isFalse(isLossyVariable("A", "é", () => assert.fail("compared")))
  })

  it("a variable is found by its whole name", () => {
    const own = () => [latin1("AB=\xe9"), latin1("A=\xe9")]
    assert.isTrue(isLossyVariable("A", "\ufffd", own))
    assert.isFalse(isLossyVariable("B", "\ufffd", own))
  })
})
