import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { apply, otherHome, placesOf, planRemove, planWrite } from "../../../../../src/lib/ssh/client-files.ts"

const home = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pyro-home-"))),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true }))
)

const write = (folder: string, host: string, entry: string) =>
  Effect.gen(function*() {
    const places = placesOf(folder, host)
    const changes = yield* planWrite(places, entry)
    yield* apply(places, changes)
    return changes.length
  })

const remove = (folder: string, host: string) =>
  Effect.gen(function*() {
    const places = placesOf(folder, host)
    const changes = yield* planRemove(places)
    yield* apply(places, changes)
    return changes.length
  })

const modeOf = (file: string) => fs.statSync(file).mode & 0o777

describe("entries in ~/.ssh", () => {
  it.live("the first entry makes the files, for this user alone, and the second write changes nothing", () =>
    Effect.gen(function*() {
      const folder = yield* home
      assert.strictEqual(yield* write(folder, "pyro-a", "Host pyro-a\n"), 2)
      assert.strictEqual(fs.readFileSync(`${folder}/.ssh/pyro/pyro-a.conf`, "utf8"), "Host pyro-a\n")
      assert.include(fs.readFileSync(`${folder}/.ssh/config`, "utf8"), "\nInclude pyro/*.conf\n")
      for (const file of [".ssh", ".ssh/pyro"]) assert.strictEqual(modeOf(`${folder}/${file}`), 0o700, file)
      for (const file of [".ssh/config", ".ssh/pyro/pyro-a.conf"]) {
        assert.strictEqual(modeOf(`${folder}/${file}`), 0o600, file)
      }
      assert.strictEqual(yield* write(folder, "pyro-a", "Host pyro-a\n"), 0)
      assert.strictEqual(yield* write(folder, "pyro-a", "Host pyro-a\n  User b\n"), 1)
      assert.strictEqual(yield* write(folder, "pyro-b", "Host pyro-b\n"), 1)
    }))

  it.live("OpenSSH reads the home directory of the account, whatever HOME says", () =>
    Effect.gen(function*() {
      const folder = yield* home
      const account = os.userInfo().homedir
      assert.strictEqual(otherHome(folder), account)
      assert.isUndefined(otherHome(account))
      assert.isUndefined(otherHome(`${account}/`))
      fs.symlinkSync(account, `${folder}/link`)
      assert.isUndefined(otherHome(`${folder}/link`))
    }))

  it.live("the person's own lines stay as they are, and come back exactly with the last entry's removal", () =>
    Effect.gen(function*() {
      const folder = yield* home
      const own = "Host work\n  User me\n\nMatch all\n  Compression yes"
      fs.mkdirSync(`${folder}/.ssh`)
      fs.mkdirSync(`${folder}/dotfiles`)
      fs.writeFileSync(`${folder}/dotfiles/config`, own, { mode: 0o644 })
      fs.symlinkSync("../dotfiles/config", `${folder}/.ssh/config`)
      yield* write(folder, "pyro-a", "a\n")
      yield* write(folder, "pyro-b", "b\n")
      const text = fs.readFileSync(`${folder}/.ssh/config`, "utf8")
      assert.isTrue(text.endsWith(own))
      assert.isBelow(text.indexOf("Include"), text.indexOf("Host work"))
      assert.isTrue(fs.lstatSync(`${folder}/.ssh/config`).isSymbolicLink())
      assert.strictEqual(modeOf(`${folder}/dotfiles/config`), 0o644)
      assert.strictEqual(yield* remove(folder, "pyro-a"), 1)
      assert.strictEqual(fs.readFileSync(`${folder}/.ssh/config`, "utf8"), text)
      assert.strictEqual(yield* remove(folder, "pyro-b"), 2)
      assert.strictEqual(fs.readFileSync(`${folder}/.ssh/config`, "utf8"), own)
      assert.strictEqual(yield* remove(folder, "pyro-b"), 0)
    }))

  it.live("the last entry's removal leaves no file or directory that pyro made, and each that the person has", () =>
    Effect.gen(function*() {
      const folder = yield* home
      assert.strictEqual(yield* remove(folder, "pyro-a"), 0)
      assert.deepStrictEqual(fs.readdirSync(folder), [])
      yield* write(folder, "pyro-a", "a\n")
      yield* write(folder, "pyro-b", "b\n")
      assert.strictEqual(yield* remove(folder, "pyro-b"), 1)
      assert.deepStrictEqual(fs.readdirSync(`${folder}/.ssh`).sort(), ["config", "pyro"])
      assert.strictEqual(yield* remove(folder, "pyro-a"), 2)
      assert.deepStrictEqual(fs.readdirSync(folder), [])

      fs.mkdirSync(`${folder}/.ssh`)
      yield* write(folder, "pyro-a", "a\n")
      yield* remove(folder, "pyro-a")
      assert.deepStrictEqual(fs.readdirSync(`${folder}/.ssh`), [], "the directory was there")

      fs.writeFileSync(`${folder}/.ssh/config`, "")
      yield* write(folder, "pyro-a", "a\n")
      yield* remove(folder, "pyro-a")
      assert.strictEqual(fs.readFileSync(`${folder}/.ssh/config`, "utf8"), "", "the empty file was there")
      fs.rmSync(`${folder}/.ssh`, { recursive: true })

      yield* write(folder, "pyro-a", "a\n")
      fs.appendFileSync(`${folder}/.ssh/config`, "Host x\n")
      fs.writeFileSync(`${folder}/.ssh/pyro/note`, "")
      yield* remove(folder, "pyro-a")
      assert.strictEqual(fs.readFileSync(`${folder}/.ssh/config`, "utf8"), "Host x\n", "the person added a line")
      assert.deepStrictEqual(fs.readdirSync(`${folder}/.ssh/pyro`), ["note"])
    }))

  it.live("an Include line of the person is enough, unless it follows a Host", () =>
    Effect.gen(function*() {
      const folder = yield* home
      fs.mkdirSync(`${folder}/.ssh`)
      fs.writeFileSync(`${folder}/.ssh/config`, "# mine\nInclude pyro/*.conf\nHost x\n")
      assert.strictEqual(yield* write(folder, "pyro-a", "a\n"), 1)
      fs.writeFileSync(`${folder}/.ssh/config`, "Host x\n  Include pyro/*.conf\n")
      assert.strictEqual(yield* write(folder, "pyro-a", "a\n"), 1)
    }))

  it.live("a read-only file and a file that changes meanwhile are refused, and stay", () =>
    Effect.gen(function*() {
      const folder = yield* home
      fs.mkdirSync(`${folder}/.ssh`)
      fs.writeFileSync(`${folder}/.ssh/config`, "Host x\n", { mode: 0o444 })
      const places = placesOf(folder, "pyro-a")
      assert.include((yield* Effect.flip(planWrite(places, "a\n"))).detail, "read-only")
      assert.isFalse(fs.existsSync(places.entry))
      fs.chmodSync(places.config, 0o600)
      const changes = yield* planWrite(places, "a\n")
      fs.writeFileSync(places.config, "Host y\n")
      assert.include((yield* Effect.flip(apply(places, changes))).detail, "changed")
      assert.strictEqual(fs.readFileSync(places.config, "utf8"), "Host y\n")
    }))
})
