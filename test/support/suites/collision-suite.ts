import { spawn } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeAll, describe, it } from "vitest"
import type { Installation } from "../installation.ts"
import { pyroPath, startPyro, until } from "../pyro-cli.ts"

/** Two that want one workspace at once, in so many rounds. */
export const collisionSuite = (pyro: Installation, rounds: number) =>
  describe("two that want one workspace at once", { concurrent: false }, () => {
    const { call, create, env, folder, json, sh, step } = pyro
    const allRounds = Array.from({ length: rounds }, (_, index) => index + 1)
    const seed = path.join(folder, "at-once")
    const FILES = 300
    const write = (text: string) => {
      for (let number = 0; number < FILES; number++) {
        fs.writeFileSync(path.join(seed, `f${number}`), `${text} ${number}\n`)
      }
    }
    beforeAll(async () => {
      fs.mkdirSync(seed)
      write("seed")
      await create(["--name", "w", "--seed-path", seed])
    })

    const changed = async (name: string) =>
      (await json<{ readonly files: ReadonlyArray<{ readonly path: string; readonly status: string }> }>(
        ["workspace", "diff", name]
      )).files.map(({ path, status }) => `${status} ${path}`)

    /** What a command ended with: nothing, or a code of the contract. */
    const outcome = async (args: ReadonlyArray<string>) => {
      const { code, stderr, stdout } = await call([...args, "--json"])
      const document = JSON.parse(stdout.toString()) as { readonly error?: { readonly code: string } }
      assert.strictEqual(code === 0, document.error === undefined, stderr)
      return document.error?.code
    }
    const push = () => outcome(["workspace", "sync", "push", "w", seed])
    const contents = async () =>
      new Set((await sh("w", "cat f* | cut -d' ' -f1 | sort | uniq -c")).split("\n").map((line) => line.trim()))

    it("two concurrent pushes run one after the other, and the last one's files remain", async () => {
      write("first")
      assert.deepStrictEqual(await Promise.all([push(), push(), push()]), [undefined, undefined, undefined])
      assert.deepStrictEqual(await contents(), new Set([`${FILES} first`]))
      assert.deepStrictEqual(await changed("w"), [])
    })

    it("a push during a reset is complete, or fails and leaves nothing", async () => {
      let before = "first"
      for (const round of allRounds) {
        const text = `round${round}`
        write(text)
        const [pushed, reset] = await Promise.all([push(), outcome(["workspace", "reset", "w"])])
        assert.isUndefined(reset)
        // Its VM was taken from under it, before or while it asked something of it.
        assert.include([undefined, "workspace_not_ready"], pushed)
        const now = pushed === undefined ? text : before
        assert.deepStrictEqual(await contents(), new Set([`${FILES} ${now}`]), `round ${round}: ${pushed}`)
        assert.deepStrictEqual(await changed("w"), [])
        // What a push that was refused had is not lost: the next brings it.
        assert.isUndefined(await push())
        assert.deepStrictEqual(await contents(), new Set([`${FILES} ${text}`]))
        assert.deepStrictEqual(await changed("w"), [])
        before = text
      }
    })

    it("a read that a stop interrupts reports the ended microVM", async () => {
      await sh("w", "head -c 100000000 /dev/zero > big")
      // Nobody takes what it prints: it is at work until the stop.
      const reader = spawn(process.execPath, [pyroPath, "workspace", "file", "read", "w", "big", "--output", "-"], {
        env: { ...process.env, ...env },
        stdio: ["ignore", "pipe", "pipe"]
      })
      const ended = once(reader, "close")
      await once(reader.stdout, "readable")
      assert.strictEqual((await step("stop", "w")).state, "stopped")
      let said = ""
      reader.stderr.setEncoding("utf8").on("data", (text: string) => said += text)
      reader.stdout.resume()
      assert.deepStrictEqual(await ended, [1, null], said)
      assert.match(said, /workspace w is stop(ped|ping): the microVM that this was done in was ended meanwhile/)
      await step("start", "w")
      await sh("w", "rm big")
    })

    it("a diff during a reset shows the old or the new state, or reports the reset", async () => {
      for (const round of allRounds) {
        await sh("w", "for f in f1*; do echo changed > $f; done")
        const count = (await changed("w")).length
        assert.isAbove(count, 100)
        const reset = startPyro(["workspace", "reset", "w", "--json"], { env })
        let ended = false
        void reset.finished.then(() => ended = true)
        const seen: Array<number | string> = []
        while (!ended) {
          const { stdout } = await call(["workspace", "diff", "w", "--json"])
          const document = JSON.parse(stdout.toString()) as
            & { readonly summary?: { readonly files: number } }
            & { readonly error?: { readonly code: string } }
          seen.push(document.summary?.files ?? document.error?.code ?? "nothing")
        }
        assert.strictEqual((await reset.finished).code, 0, `round ${round}`)
        for (const one of seen) assert.include([0, count, "workspace_not_ready"], one)
        await until("the new one", async () => (await changed("w")).length === 0)
      }
    })
  })
