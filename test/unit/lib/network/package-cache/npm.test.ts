import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import type { ServerResponse } from "node:http"
import { join } from "node:path"
import { run } from "../intercept/intercepted.ts"
import { makePackageCache, NPM_HOST, temporary } from "./package-cache.ts"

const NAME = "@scope/pad"
const TARBALL = `/${NAME}/-/pad-1.0.0.tgz`

/** A registry of one package. The tarball is at the registry's own host, as in the public registry. */
const makeRegistry = Effect.gen(function*() {
  const folder = yield* temporary
  fs.mkdirSync(join(folder, "package"))
  fs.writeFileSync(join(folder, "package/package.json"), JSON.stringify({ name: NAME, version: "1.0.0" }))
  execFileSync("tar", ["-czf", "pad.tgz", "package"], { cwd: folder })
  const tarball = fs.readFileSync(join(folder, "pad.tgz"))
  const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`
  const dist = { tarball: `https://${NPM_HOST}${TARBALL}`, integrity }
  const packument = JSON.stringify({
    name: NAME,
    "dist-tags": { latest: "1.0.0" },
    versions: { "1.0.0": { name: NAME, version: "1.0.0", dist } }
  })
  return (request: { readonly url?: string | undefined }, response: ServerResponse) => {
    if (request.url === TARBALL) return void response.end(tarball)
    if (request.url === "/@scope%2fpad") return void response.writeHead(200, { etag: "\"1\"" }).end(packument)
    response.writeHead(404).end()
  }
})

const npm = (port: number, project: string, ...args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const home = yield* temporary
    const result = yield* run("npm", [...args, "--no-audit", "--no-fund"], {
      cwd: project,
      env: {
        HOME: home,
        npm_config_cache: join(home, "cache"),
        npm_config_userconfig: join(home, "npmrc"),
        npm_config_globalconfig: join(home, "global"),
        npm_config_registry: `http://127.0.0.1:${port}/`,
        npm_config_fetch_retry_mintimeout: "10",
        npm_config_omit_lockfile_registry_resolved: "false"
      }
    })
    assert.strictEqual(result.status, 0, result.stderr)
  })

describe("npm with the package cache", () => {
  it.live(
    "an install keeps the registry in the lock file, and npm ci works offline from the cache",
    () =>
      Effect.gen(function*() {
        const cache = yield* makePackageCache({ handler: yield* makeRegistry })
        const project = yield* temporary
        fs.writeFileSync(join(project, "package.json"), JSON.stringify({ dependencies: { [NAME]: "^1.0.0" } }))
        yield* npm(cache.port, project, "install")
        const lock = fs.readFileSync(join(project, "package-lock.json"), "utf8")
        assert.include(lock, `"resolved": "https://${NPM_HOST}${TARBALL}"`)
        assert.notInclude(lock, "127.0.0.1")
        const offline = yield* makePackageCache({ handler: () => {}, directory: cache.directory, group: "offline" })
        offline.state.isReachable = false
        for (const command of ["ci", "install"]) {
          fs.rmSync(join(project, "node_modules"), { recursive: true })
          yield* npm(offline.port, project, command)
          assert.isTrue(fs.existsSync(join(project, "node_modules", NAME, "package.json")))
        }
        assert.isTrue(offline.served.every(({ fetchedBytes }) => fetchedBytes === 0))
      }),
    60_000
  )

  it.live("npm that finds a wrong hash asks again, and gets the right file", () =>
    Effect.gen(function*() {
      const registry = yield* makeRegistry
      let isWrong = true
      const cache = yield* makePackageCache({
        handler: (request, response) => {
          if (!isWrong || request.url !== TARBALL) return registry(request, response)
          isWrong = false
          response.end("wrong")
        }
      })
      const project = yield* temporary
      fs.writeFileSync(join(project, "package.json"), JSON.stringify({ dependencies: { [NAME]: "^1.0.0" } }))
      yield* npm(cache.port, project, "install")
      assert.deepStrictEqual(cache.asked.filter((asked) => asked.endsWith(".tgz")), Array(2).fill(`GET ${TARBALL}`))
    }), 60_000)
})
