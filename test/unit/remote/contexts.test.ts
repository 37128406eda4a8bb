import { it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { assert, describe } from "vitest"
import {
  addContext,
  chosenContext,
  currentContext,
  findContext,
  listContexts,
  removeContext,
  useContext
} from "../../../src/remote/contexts.ts"
import { ProcessVariables } from "../../../src/system/settings/config.ts"

const bench = { name: "bench", url: "ssh://me@bench", command: "/opt/pyro" }

/** Contexts in a state directory of a test's own. */
const own = <A, E>(work: (folder: string) => Effect.Effect<A, E>, variables: Readonly<Record<string, string>> = {}) =>
  Effect.scoped(Effect.gen(function*() {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pyro-contexts-"))),
      (made) => Effect.sync(() => fs.rmSync(made, { recursive: true }))
    )
    return yield* Effect.provideService(work(folder), ProcessVariables, { PYRO_STATE_DIR: folder, ...variables })
  }))

const none = { contexts: [], damaged: [] }

describe("the contexts of a person", () => {
  it.effect("are kept under their names, and one of them is chosen", () =>
    own(() =>
      Effect.gen(function*() {
        assert.deepStrictEqual([yield* listContexts, yield* chosenContext(undefined)], [none, undefined])
        yield* addContext({ ...bench, replace: false })
        yield* addContext({ name: "a", url: "ssh://a", replace: false })
        assert.deepStrictEqual((yield* listContexts).contexts, [{ name: "a", url: "ssh://a" }, bench])
        assert.deepStrictEqual(yield* chosenContext("bench"), bench)
        yield* useContext("bench")
        assert.deepStrictEqual(yield* chosenContext(undefined), bench)
        assert.isUndefined(yield* chosenContext("local"))
        yield* removeContext("bench")
        assert.isUndefined(yield* currentContext)
        yield* useContext("a")
        yield* useContext("local")
        assert.isUndefined(yield* chosenContext(undefined))
      })
    ))

  it.effect("PYRO_CONTEXT comes before the chosen one, and an option before both", () =>
    own(() =>
      Effect.gen(function*() {
        yield* addContext({ ...bench, replace: false })
        yield* addContext({ name: "a", url: "ssh://a", replace: false })
        yield* useContext("bench")
        assert.strictEqual((yield* chosenContext(undefined))?.name, "a")
        assert.strictEqual((yield* chosenContext("bench"))?.name, "bench")
      }), { PYRO_CONTEXT: "a" }))

  it.effect("have names that are files of their own, and addresses of ssh", () =>
    own((folder) =>
      Effect.gen(function*() {
        for (const name of ["", "local", "current/../x", "..", "-x", "A", "a b", "x".repeat(64), "a\n"]) {
          const failure = yield* Effect.flip(addContext({ ...bench, name, replace: false }))
          assert.deepInclude(failure, { _tag: "InvalidRequest", field: "name" })
          assert.strictEqual((yield* Effect.flip(findContext(name)))._tag, "ContextUnknown")
        }
        for (const command of ["", " ", "pyro\nid", "\u001b[31m", "x".repeat(5_000)]) {
          const failure = yield* Effect.flip(addContext({ ...bench, command, replace: false }))
          assert.deepInclude(failure, { _tag: "InvalidRequest", field: "command" })
        }
        const failure = yield* Effect.flip(addContext({ ...bench, url: "ssh://-oProxyCommand=id", replace: false }))
        assert.deepInclude(failure, { _tag: "InvalidRequest", field: "url" })
        assert.deepStrictEqual(fs.readdirSync(folder), [])
      })
    ))

  it.effect("change only if the person says so, and a damaged file is named", () =>
    own((folder) =>
      Effect.gen(function*() {
        yield* addContext({ ...bench, replace: false })
        assert.strictEqual((yield* Effect.flip(addContext({ ...bench, replace: false })))._tag, "InvalidRequest")
        yield* addContext({ name: "bench", url: "ssh://other", replace: true })
        assert.deepStrictEqual(yield* findContext("bench"), { name: "bench", url: "ssh://other" })
        fs.writeFileSync(path.join(folder, "contexts/bench.json"), "{")
        const failure = yield* Effect.flip(findContext("bench"))
        assert.include(failure.message, "pyro context remove bench")
        assert.include(failure.message, "contexts/bench.json cannot be used: it is damaged")
        assert.strictEqual((yield* Effect.flip(removeContext("unheard")))._tag, "ContextUnknown")
        // The others are listed, and nothing waits for a FIFO.
        yield* addContext({ name: "sound", url: "ssh://sound", replace: false })
        execFileSync("mkfifo", [path.join(folder, "contexts/fifo.json")])
        const { contexts, damaged } = yield* listContexts
        assert.deepStrictEqual(contexts.map(({ name }) => name), ["sound"])
        assert.lengthOf(damaged, 2)
        for (const name of ["bench", "fifo", "sound"]) yield* removeContext(name)
        assert.deepStrictEqual(yield* listContexts, none)
      })
    ))
})
