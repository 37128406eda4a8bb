import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"

const { call, close, create, json, status } = installation("pyro-completion-")
afterAll(close)

/** What a shell gets for the last word. */
const offered = async (...words: ReadonlyArray<string>) =>
  (await call(["__complete", "--", ...words])).stdout.toString().split("\n").filter((line) => line !== "")

describe("completion of names that a daemon knows", { concurrent: false }, () => {
  beforeAll(async () => {
    await create(["--name", "w"])
    const names =
      `mkdir -p src/deep; cd src; touch -- main.py 'a b' -x '$(touch pwned)' "$(printf 'red\\033[31m')" "$(printf 'two\\nlines')"`
    await json(["exec", "w", "--script", names])
    await json(["service", "start", "w", "web", "--", "sleep", "1000"])
  })

  it("completion offers files and services of a running workspace, without control characters", async () => {
    const all = ["src/$(touch pwned)", "src/-x", "src/a b", "src/deep/", "src/main.py"]
    assert.deepStrictEqual(await offered("file", "read", "w", "src/"), all)
    assert.deepStrictEqual(await offered("cp", "w:src/m"), ["w:src/main.py"])
    assert.deepStrictEqual(await offered("export", "w", "/etc/host"), ["/etc/host.conf", "/etc/hostname", "/etc/hosts"])
    assert.deepStrictEqual(await offered("service", "stop", "w", ""), ["web"])
    assert.deepStrictEqual(await offered("file", "read", "w", "nowhere/"), [])
    assert.deepStrictEqual(await offered("file", "read", "nobody", "src/"), [])
  })

  it("completion neither resumes a paused workspace nor starts a daemon", async () => {
    await json(["pause", "w"])
    assert.deepStrictEqual(await offered("file", "read", "w", "src/"), [])
    assert.strictEqual((await status("w")).state, "paused")
    await json(["daemon", "stop"])
    assert.deepStrictEqual(await offered("file", "read", "w", "src/"), [])
    assert.deepStrictEqual(await offered("service", "stop", "w", ""), [])
    assert.isFalse((await json<{ readonly running: boolean }>(["daemon", "status"])).running)
  })
})
