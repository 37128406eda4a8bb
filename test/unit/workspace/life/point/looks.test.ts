import { assert, describe, it } from "vitest"
import { isLook } from "../../../../../src/workspace/life/point/looks.ts"

const shell = (text: string) => ["/bin/sh", "-c", text]

describe("commands that are looks by their words", () => {
  it("programs that read are looks, alone and in a line of a shell", () => {
    for (
      const command of [
        ["ls", "-la"],
        ["git", "status", "--short"],
        ["git", "-C", "packages/a", "diff"],
        ["git", "--no-pager", "log"],
        shell("git status"),
        ["sh", "-ec", "cd src && ls | head -3; git diff --stat"],
        ["/bin/bash", "-lc", "grep -rn 'one' ."]
      ]
    ) assert.isTrue(isLook(command), command.join(" "))
  })

  it("what writes, or may, is none", () => {
    for (
      const command of [
        [],
        ["rm", "-f", "b"],
        ["git", "commit"],
        ["git", "diff", "--output=x"],
        ["git", "-c", "core.fsmonitor=./x", "status"],
        ["tree", "-o", "list"],
        shell("ls > list"),
        shell("ls $(touch x)"),
        shell("ls; rm b"),
        shell("ls & make"),
        shell("grep 'a; rm b' x"),
        ["sh", "script.sh"],
        ["sh", "-c", "ls", "name", "argument"]
      ]
    ) assert.isFalse(isLook(command), command.join(" "))
  })
})
