import { assert, describe, it } from "vitest"
import { Burst } from "../../../../../src/workspace/content/files/watch.ts"

type What = "created" | "modified" | "removed"
const at = (path: string) => Buffer.from(path)

/** Changes as text: `created a`, `renamed a b`. */
const merged = (...changes: ReadonlyArray<string>) => {
  const burst = new Burst()
  for (const change of changes) {
    const [what = "", first = "", second] = change.split(" ")
    burst.add(
      second === undefined
        ? { _tag: what as What, path: at(first), isDirectory: false }
        : { _tag: "renamed", from: at(first), path: at(second), isDirectory: false }
    )
  }
  const taken = burst.take().map((change) =>
    [change._tag, ...("from" in change ? [String(Buffer.from(change.from))] : []), String(Buffer.from(change.path))]
      .join(" ")
  )
  assert.isEmpty(burst.take())
  return taken
}

describe("changes of one moment", () => {
  it.each([
    [["created a", "modified a", "modified a"], ["created a"]],
    [["modified a", "modified b", "modified a"], ["modified a", "modified b"]],
    [["created a", "modified a", "removed a"], []],
    [["modified a", "removed a"], ["removed a"]],
    [["removed a", "created a"], ["modified a"]],
    [["removed a", "created a", "removed a"], ["removed a"]],
    [["created a", "renamed a b"], ["created b"]],
    [["created a", "modified a", "renamed a b", "modified b"], ["created b"]],
    [["renamed a b", "renamed b c"], ["renamed a c"]],
    [["renamed a b", "removed b"], ["removed a"]],
    [["modified a", "renamed a b", "created a"], ["renamed a b", "created a"]],
    [["removed a", "created b"], ["removed a", "created b"]]
  ])("%j are %j", (changes, expected) => {
    assert.deepStrictEqual(merged(...changes), expected)
  })
})
