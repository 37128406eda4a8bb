import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { workspaceFile, workspacePath } from "../../../../../src/lib/guest-channel/guest-path.ts"

const textOf = (path: string) => Effect.runSync(Effect.map(workspacePath(path), ({ text }) => text))
const failureOf = (path: string) => Effect.runSync(Effect.flip(workspacePath(path)))

describe("a path of a request", () => {
  it("a path of a request is relative to /workspace, or absolute and beneath it", () => {
    const cases: ReadonlyArray<readonly [string, string]> = [
      [".", "."],
      ["/workspace", "."],
      ["/workspace/", "."],
      ["/workspace/a/b", "a/b"],
      ["//workspace//a/./b/", "a/b"],
      ["./a", "a"],
      ["a/../b", "a/../b"],
      ["workspace", "workspace"],
      ["größe/with space", "größe/with space"],
      ["-rf", "-rf"],
      ["...", "..."]
    ]
    for (const [given, text] of cases) assert.strictEqual(textOf(given), text, given)
  })

  it("a path in git's quoted form names raw bytes and is returned in that form", () => {
    const { bytes, text } = Effect.runSync(workspacePath("\"d/\\377\\n\""))
    assert.deepStrictEqual([...bytes], [0x64, 0x2f, 0xff, 0x0a])
    assert.strictEqual(text, "\"d/\\377\\n\"")
  })

  it("a path that leads outside /workspace is refused", () => {
    for (
      const path of [
        "..",
        "../a",
        "a/../../b",
        "/",
        "/etc/passwd",
        "/workspaces/a",
        "/workspace/..",
        "/workspace/../etc",
        "\"..\\057etc\""
      ]
    ) {
      const failure = failureOf(path)
      assert.strictEqual(failure._tag === "FileRefused" ? failure.reason : failure._tag, "outside", path)
    }
  })

  it("an empty, too long or malformed path is an invalid request", () => {
    for (const path of ["", "a\0b", "\"a\\000b\"", "\"open", "\ud800", "x".repeat(4_096), "ö".repeat(2_048)]) {
      assert.strictEqual(failureOf(path)._tag, "InvalidRequest", JSON.stringify(path.slice(0, 20)))
    }
    assert.strictEqual(textOf("x".repeat(4_095)).length, 4_095)
  })

  it("a path that ends in a directory's own name is refused for a file", () => {
    for (const path of [".", "/workspace", "a/..", "a/../"]) {
      const exit = Effect.runSyncExit(workspaceFile(path))
      assert.isTrue(Exit.isFailure(exit), path)
    }
    assert.isTrue(Exit.isSuccess(Effect.runSyncExit(workspaceFile("a/..b"))))
  })
})
