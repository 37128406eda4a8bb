import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"

const pyro = installation("pyro-shell-")
const { create, failure, json, status } = pyro
beforeAll(() => create(["--name", "w"]))
afterAll(pyro.close)

interface Screen {
  readonly shell_id: string
  readonly outcome: string
  readonly output: string
  readonly next_cursor: number
  readonly truncated: boolean
  readonly alternate?: boolean
  readonly waited?: string
}

const shell = <A>(verb: string, ...args: ReadonlyArray<string>) => json<A>(["workspace", "shell", verb, "w", ...args])

const opened = async (...args: ReadonlyArray<string>) => (await shell<Screen>("open", ...args)).shell_id

/** Types, and gives the screen once it has a text. */
const seen = async (id: string, wanted: string, ...typed: ReadonlyArray<string>) => {
  const { cursor } = await shell<{ readonly cursor: number }>("write", id, ...typed)
  const screen = await shell<Screen>("read", id, "--plain", "--cursor", String(cursor), "--wait-for", wanted)
  assert.strictEqual(screen.waited, "found", screen.output)
  return screen
}

const ENTER = ["--key", "enter"]

describe("a shell of a workspace", () => {
  it("a shell stays open over many requests, and shows what a person sees", async () => {
    const id = await opened()
    assert.strictEqual((await status("w") as { readonly shells?: number }).shells, 1)
    await seen(id, "value is 42", "--input", "x=42; cd /tmp; echo value is $x", ...ENTER)
    const bar = "for n in 1 50 100; do printf '\\r%3d%%' $n; sleep 0.05; done; echo; echo done in $PWD"
    const { output } = await seen(id, "done in /tmp", "--input", bar, ...ENTER)
    assert.match(output, /\n100%\ndone in \/tmp\n/)
    assert.notInclude(output, " 50%")
    assert.strictEqual((await shell<Screen>("close", id)).outcome, "signaled")
    assert.isUndefined((await status("w") as { readonly shells?: number }).shells)
    assert.strictEqual((await failure(["workspace", "shell", "write", "w", id, "--input", "x"])).code, "shell_ended")
    assert.include((await shell<Screen>("read", id, "--plain")).output, "value is 42")
  })
})
