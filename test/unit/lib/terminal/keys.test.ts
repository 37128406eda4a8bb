import { assert, describe, it } from "vitest"
import { dependsOnMode, keySequence, typedText } from "../../../../src/lib/terminal/keys.ts"

describe("keys of a terminal", () => {
  it.each([
    ["ctrl-a", "\x01"],
    ["ctrl-c", "\x03"],
    ["ctrl-z", "\x1a"],
    ["enter", "\r"],
    ["escape", "\x1b"],
    ["f1", "\x1bOP"],
    ["f12", "\x1b[24~"],
    ["delete", "\x1b[3~"]
  ])("the key %s sends its sequence in every mode", (key, sequence) => {
    assert.isFalse(dependsOnMode(key))
    assert.strictEqual(keySequence(key, false), sequence)
    assert.strictEqual(keySequence(key, true), sequence)
  })

  it("arrows, home and end follow the application mode", () => {
    assert.deepStrictEqual(["up", "down", "right", "left", "home", "end"].map((key) => keySequence(key, false)), [
      "\x1b[A",
      "\x1b[B",
      "\x1b[C",
      "\x1b[D",
      "\x1b[H",
      "\x1b[F"
    ])
    assert.strictEqual(keySequence("up", true), "\x1bOA")
    assert.isTrue(dependsOnMode("home"))
  })

  it("a newline is typed as the Enter key", () => {
    assert.strictEqual(typedText("a\nb\r\nc\rd"), "a\rb\rc\rd")
  })
})
