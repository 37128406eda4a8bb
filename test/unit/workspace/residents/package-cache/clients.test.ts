import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Stream } from "effect"
import { constants } from "node:os"
import { AgentCallFailed } from "../../../../../src/lib/guest-channel/model/errors.ts"
import { settleClients } from "../../../../../src/workspace/residents/package-cache/clients.ts"
import { packageCaching } from "../../../../../src/workspace/residents/package-cache/package-cache.ts"
import { npmSettings, settingsFiles } from "../../../../../src/workspace/residents/package-cache/registries.ts"
import { askedGrant } from "../../../../../src/workspace/residents/policy/policy.ts"

type Files = Parameters<typeof settleClients>[0]

const { EFBIG, ELOOP, ENOENT } = constants.errno

/** A guest with these files: a text, or the number of the error of a read that follows no link. */
const guestOf = (found: Readonly<Record<string, string | number | Uint8Array>>, { changes = true } = {}) => {
  const requests: Array<string> = []
  const written = new Map<string, Buffer>()
  const bytesOf = (file: string) => {
    const one = found[file]
    return one === undefined || typeof one === "number" ? Buffer.alloc(0) : Buffer.from(one as Uint8Array)
  }
  const failed = (operation: string) => new AgentCallFailed({ operation, errno: "EXDEV", detail: "" })
  const files = {
    readMany: ({ paths }) => {
      requests.push(`read ${paths.length} files`)
      return Stream.fromIterable(paths.map((path) => {
        const one = found[String(path)] ?? ENOENT
        const errno = typeof one === "number" ? one : 0
        return { errno, size: 0, content: bytesOf(String(path)) }
      }))
    },
    read: ({ path }) => {
      requests.push(`read through ${path}`)
      return Stream.make(Buffer.from("registry=https://own.test/\n"))
    },
    write: ({ path }, content) =>
      Effect.gen(function*() {
        requests.push(`write ${path}`)
        written.set(String(path), Buffer.concat(yield* Stream.runCollect(content)))
      }),
    changeFiles: (root, all) =>
      Effect.suspend(() => {
        requests.push(`change ${root}: ${all.map(({ path }) => Buffer.from(path).toString()).join(" ")}`)
        return changes ? Effect.void : failed("change")
      })
  } as Files
  return { files, requests, written }
}

const caching = packageCaching(
  { cacheDir: "/nowhere" },
  () => Result.getOrThrow(askedGrant({ allowHosts: ["npm"] })),
  () => []
)

const readAll = `read ${settingsFiles.length} files`

const added = [
  "etc/npmrc",
  "usr/local/etc/npmrc",
  "usr/etc/npmrc",
  "root/.config/pnpm/rc",
  "root/.config/pnpm/config.yaml"
]

describe("the settings of a guest's package clients", () => {
  it.effect("a new guest reads all files in one request and gets all new ones in another", () =>
    Effect.gen(function*() {
      const { files, requests } = guestOf({})
      yield* settleClients(files, caching)
      assert.deepStrictEqual(requests, [readAll, `change /: ${[...added, "root/.yarnrc.yml"].join(" ")}`])
    }))

  it.effect("files of the user, large ones and those behind links stay", () =>
    Effect.gen(function*() {
      const { files, requests } = guestOf({
        "etc/npmrc": "registry=https://own.test/\n",
        "usr/etc/npmrc": EFBIG,
        "root/.yarnrc.yml": ELOOP
      })
      yield* settleClients(files, caching)
      const rest = added.filter((file) => file !== "etc/npmrc" && file !== "usr/etc/npmrc")
      const others = [`change /: ${rest.join(" ")}`, "read through root/.yarnrc.yml"]
      assert.deepStrictEqual(requests.toSorted(), [...others, readAll].toSorted())
    }))

  it.effect("a guest that refuses the whole gets each file by itself", () =>
    Effect.gen(function*() {
      const { files, requests } = guestOf({ "root/.yarnrc.yml": "npmRegistryServer: own\n" }, { changes: false })
      yield* settleClients(files, caching)
      assert.deepStrictEqual(requests.slice(2), added.map((file) => `write ${file}`))
    }))

  it.effect("the removal of pyro's lines keeps the user's bytes, which need not be UTF-8", () =>
    Effect.gen(function*() {
      const own = Buffer.from("; caf\xe9 \xff\n", "latin1")
      const none = packageCaching(
        { cacheDir: "/nowhere" },
        () => Result.getOrThrow(askedGrant({ allowHosts: ["pypi"] })),
        () => []
      )
      const { files, written } = guestOf({ "etc/npmrc": Buffer.concat([own, Buffer.from(npmSettings.text)]) })
      yield* settleClients(files, none)
      assert.deepStrictEqual(written.get("etc/npmrc"), own)
    }))

  it.effect("an npm anywhere finds the settings, unless the machine has settings of its own", () =>
    Effect.gen(function*() {
      const variablesOf = (found: Readonly<Record<string, string | number>>, caches = caching) =>
        settleClients(guestOf(found).files, caches)
      const global = { npm_config_globalconfig: "/etc/npmrc" }
      assert.deepStrictEqual(yield* variablesOf({}), global)
      assert.deepStrictEqual(yield* variablesOf({ "etc/npmrc": npmSettings.text }), global)
      for (const file of npmSettings.paths) {
        assert.deepStrictEqual(yield* variablesOf({ [file]: "fund=false\n" }), {}, file)
        assert.deepStrictEqual(yield* variablesOf({ [file]: ELOOP }), {}, file)
      }
      const others = packageCaching(
        { cacheDir: "/nowhere" },
        () => Result.getOrThrow(askedGrant({ allowHosts: ["pypi"] })),
        () => []
      )
      assert.deepStrictEqual(yield* variablesOf({}, others), {})
    }))
})
