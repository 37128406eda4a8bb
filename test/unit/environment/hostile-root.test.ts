import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { unpackImage } from "../../../src/environment/image/keep-root.ts"
import { makeTemporary } from "../../../src/system/files/temporary.ts"
import { endlessFile, interruptedTool } from "../../support/tool-group.ts"
import { temporaryDirectory } from "../disk/temporary-directory.ts"

/** Unpacks what a script makes with tar as `root.tar` in its folder. */
const unpacked = (script: string) =>
  Effect.gen(function*() {
    const parent = yield* Effect.acquireRelease(
      Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pyro-hostile-root-"))),
      (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
    )
    const work = yield* makeTemporary(parent, "hostile")
    const given = path.join(work.path, "in")
    fs.mkdirSync(path.join(given, "lib/modules/6.1"), { recursive: true })
    execFileSync("tar", ["-C", given, "-cf", path.join(given, "modules.tar"), "lib/modules"])
    fs.mkdirSync(path.join(given, "made"))
    execFileSync("bash", ["-euc", script], { cwd: path.join(given, "made") })
    const outcome = yield* Effect.result(unpackImage(work))
    return { outcome, work: work.path, out: path.join(work.path, "out"), parent }
  })

const root = "mkdir -p etc usr/lib; ln -s usr/lib lib; echo x >etc/passwd"

describe("an archive of a hostile guest", () => {
  it.live("a hostile archive writes only into its own tree", () =>
    Effect.gen(function*() {
      const { out, outcome, parent, work } = yield* unpacked(`${root}
        ln -s / everything; ln -s ../../../.. above; echo evil >file
        tar -cf ../root.tar etc usr lib everything above
        tar -rPf ../root.tar --transform='s,^file$,everything/out/evil,' file
        tar -rPf ../root.tar --transform='s,^file$,../../escaped,' file
        tar -rPf ../root.tar --transform='s,^file$,above/escaped,' file
        tar -rPf ../root.tar --transform='s,^file$,/tmp/pyro-escaped,' file`)
      // tar itself refuses some of it: then there is no image at all.
      assert.isFalse(fs.existsSync("/tmp/pyro-escaped"))
      for (const folder of [work, parent, path.dirname(parent)]) {
        assert.isFalse(fs.existsSync(path.join(folder, "escaped")), folder)
      }
      assert.deepStrictEqual(fs.readdirSync(path.join(work, "in")).sort(), ["lib", "made", "modules.tar", "root.tar"])
      if (outcome._tag === "Success") assert.isTrue(fs.existsSync(path.join(out, "root.erofs")))
    }))

  it.live("a hostile archive gets no devices, and its links become directories at mount points", () =>
    Effect.gen(function*() {
      const { out, outcome } = yield* unpacked(`${root}
        mkdir dev; [ $(id -u) != 0 ] || mknod dev/sda b 8 0
        tar -cf ../root.tar etc usr lib dev`)
      assert.strictEqual(outcome._tag, "Success", JSON.stringify(outcome))
      assert.deepStrictEqual(fs.readdirSync(path.join(out, "root/dev")), [])
      assert.includeMembers(fs.readdirSync(path.join(out, "root")), ["proc", "sys", "run", "tmp", "workspace"])
      assert.deepStrictEqual(fs.readdirSync(path.join(out, "root/usr/lib/modules")), ["6.1"])
    }))

  it.live("a hostile archive with /etc as a link cannot redirect writes of the sandbox", () =>
    Effect.gen(function*() {
      const { outcome } = yield* unpacked(`mkdir -p usr/lib; ln -s usr/lib lib; ln -s /usr etc
        tar -cf ../root.tar etc usr lib`)
      assert.strictEqual(outcome._tag, "Failure")
      assert.isFalse(fs.existsSync("/usr/hostname"))
    }))

  it.live("a sparse file in a hostile archive does not fill the disk", () =>
    Effect.gen(function*() {
      const { out, outcome } = yield* unpacked(`${root}
        truncate -s 1T huge; tar --sparse -cf ../root.tar etc usr lib huge`)
      assert.strictEqual(outcome._tag, "Failure")
      const [blocks = "0"] = execFileSync("du", ["-sk", out], { encoding: "utf8" }).split("\t")
      assert.isBelow(Number(blocks), 1024)
    }))

  it.live("an invalid archive is refused", () =>
    Effect.gen(function*() {
      const { outcome } = yield* unpacked("head -c 100000 /dev/urandom >../root.tar")
      assert.strictEqual(outcome._tag, "Failure")
      if (outcome._tag === "Failure") assert.match(outcome.failure.message, /tar/)
    }))

  it.live("a kill of the sandbox's process group reaches all of its processes, whenever it comes", () =>
    Effect.gen(function*() {
      const parent = yield* temporaryDirectory
      const work = Effect.scoped(Effect.gen(function*() {
        const room = yield* makeTemporary(parent, "endless")
        fs.mkdirSync(path.join(room.path, "in"))
        endlessFile(path.join(room.path, "in", "root.tar"))
        return yield* unpackImage(room)
      }))
      const { missed, names } = yield* Effect.promise(() => interruptedTool("tar", work))
      assert.include(names, "bwrap")
      assert.deepStrictEqual(missed, [])
    }))
})
