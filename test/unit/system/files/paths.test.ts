import { Effect } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, afterEach, assert, beforeEach, describe, it } from "vitest"
import { Paths, pathVariables } from "../../../../src/system/files/Paths.ts"
import { refuseFolders } from "../../../support/disk/full-disk.ts"
import { temporaryFolder } from "../../../support/pyro-cli.ts"

const NAMES = ["PYRO_STATE_DIR", "PYRO_CACHE_DIR", "PYRO_MEMORY_DIR", "XDG_STATE_HOME", "XDG_CACHE_HOME", "HOME"]

describe("the directories of an installation", () => {
  const { folder, remove } = temporaryFolder("pyro-paths-")
  const before = Object.fromEntries(NAMES.map((name) => [name, process.env[name]]))
  const cwd = process.cwd()
  const clear = () => {
    for (const name of NAMES) delete process.env[name]
  }
  beforeEach(() => {
    clear()
    process.env["HOME"] = path.join(folder, "home")
    process.env["PYRO_MEMORY_DIR"] = path.join(folder, "memory")
  })
  afterEach(() => {
    clear()
    for (const [name, value] of Object.entries(before)) if (value !== undefined) process.env[name] = value
    process.chdir(cwd)
  })
  afterAll(remove)
  const paths = () => Effect.runPromise(Effect.provide(Paths, Paths.layer))

  it("pyro's directories are the same for a process in another directory, and a relative one is refused", async () => {
    const here = path.join(folder, "here")
    fs.mkdirSync(here, { recursive: true })
    process.chdir(here)
    process.env["PYRO_STATE_DIR"] = "state"
    assert.include(String(await paths().catch(String)), "an absolute path of a directory")
    assert.deepStrictEqual(fs.readdirSync(here), [])
    process.env["PYRO_STATE_DIR"] = path.join(here, "state")
    process.env["PYRO_MEMORY_DIR"] = path.join(folder, "memory")
    const found = await paths()
    assert.strictEqual(found.stateDir, path.join(here, "state"))
    process.chdir("/")
    Object.assign(process.env, pathVariables(found))
    assert.deepStrictEqual(await paths(), found)
  })

  it("pyro's directories are beneath the home directory if XDG variables are relative", async () => {
    process.env["XDG_STATE_HOME"] = "somewhere"
    process.env["XDG_CACHE_HOME"] = ""
    const { cacheDir, stateDir } = await paths()
    assert.strictEqual(stateDir, path.join(folder, "home/.local/state/pyro"))
    assert.strictEqual(cacheDir, path.join(folder, "home/.cache/pyro"))
  })

  it("a full disk is reported as no_space with the directory, and a file in its place as unusable", async () => {
    const state = path.join(folder, "full")
    process.env["PYRO_STATE_DIR"] = state
    const failure = () => Effect.runPromise(Effect.flip(Effect.provide(Paths, Paths.layer)))
    const end = refuseFolders()
    try {
      assert.deepInclude(await failure(), { code: "no_space", path: state })
    } finally {
      end()
    }
    fs.writeFileSync(state, "")
    assert.deepInclude(await failure(), { code: "state_directory_unusable", path: state })
  })

  it("pyro's directories are never beneath the working directory if HOME is empty", async () => {
    process.env["HOME"] = ""
    process.env["PYRO_CACHE_DIR"] = path.join(folder, "cache")
    process.env["XDG_STATE_HOME"] = path.join(folder, "xdg")
    assert.strictEqual((await paths()).stateDir, path.join(folder, "xdg/pyro"))
    assert.isTrue(path.isAbsolute(os.userInfo().homedir))
  })
})
