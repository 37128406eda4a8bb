import { assert } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import type { SeenFile } from "../../src/lib/guest-channel/model/files.ts"
import { Agent, until, withAgent } from "./agent.ts"

const bytes = (text: string) => Buffer.from(text, "latin1")

/** Every path beneath a folder with what is there. */
const listing = (folder: string, prefix = ""): Record<string, string> =>
  Object.fromEntries(
    fs.readdirSync(`${folder}/${prefix}`, { withFileTypes: true }).sort((one, other) => one.name < other.name ? -1 : 1)
      .flatMap((entry) => {
        const path = prefix + entry.name
        const mode = (fs.lstatSync(`${folder}/${path}`).mode & 0o7777).toString(8)
        if (entry.isDirectory()) return [[`${path}/`, mode], ...Object.entries(listing(folder, `${path}/`))]
        if (entry.isSymbolicLink()) return [[path, `-> ${fs.readlinkSync(`${folder}/${path}`)}`]]
        return [[path, `${mode} ${fs.readFileSync(`${folder}/${path}`, "latin1")}`]]
      })
  )

/** A fresh folder with a few files. */
const prepared = (name: string) =>
  Effect.map(Agent, ({ folder }) => {
    const root = `${folder}/${name}`
    fs.mkdirSync(`${root}/dir/deep`, { recursive: true })
    fs.mkdirSync(`${root}/hollow/inner`, { recursive: true, mode: 0o750 })
    fs.writeFileSync(`${root}/one`, "one", { mode: 0o640 })
    fs.writeFileSync(`${root}/two`, "two")
    fs.writeFileSync(`${root}/dir/deep/three`, "three")
    fs.symlinkSync("one", `${root}/link`)
    fs.symlinkSync("dir", `${root}/to-dir`)
    return root
  })

const seen = (root: string, path: string): SeenFile => {
  const { ctimeNs, ino, mtimeNs, size } = fs.lstatSync(`${root}/${path}`, { bigint: true })
  return { ino, size: Number(size), mtimeNs, ctimeNs }
}
const take = (root: string, path: string) => ({ _tag: "take", path: bytes(path), seen: seen(root, path) }) as const
const file = (path: string, content: string | Buffer, more: { mode?: number; taken?: number } = {}) =>
  ({
    _tag: "file",
    path: bytes(path),
    content: typeof content === "string" ? bytes(content) : content,
    mode: more.mode,
    taken: more.taken
  }) as const

withAgent("changes of many files", (it) => {
  it.effect("a change takes, places and moves all its files", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const root = yield* prepared("all")
      const large = Buffer.alloc(3_000_000, "x")
      yield* channel.changeFiles(root, [
        take(root, "one"),
        take(root, "two"),
        take(root, "dir/deep/three"),
        take(root, "link"),
        file("one", "ONE", { taken: 0 }),
        { _tag: "move", path: bytes("new/place"), mode: 0o755, taken: 1 },
        file("dir", "a file now"),
        file("hollow", "another", { mode: 0o755 }),
        { _tag: "link", path: bytes("two"), target: bytes("gr\xf6\xdfe") },
        file("large", large)
      ])
      const { large: size, two, ...rest } = listing(root)
      assert.strictEqual(size?.length, "644 ".length + large.length)
      assert.include(two, "-> ")
      assert.deepStrictEqual(rest, {
        "dir": "644 a file now",
        "hollow": "755 another",
        "new/": "755",
        "new/place": "755 two",
        "one": "640 ONE",
        "to-dir": "-> dir"
      })
    }))

  it.effect("a change with one failing part changes nothing", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const root = yield* prepared("none")
      const before = listing(root)
      // Where a file was and came back to, its ctime is another.
      const begun = () => [
        take(root, "one"),
        take(root, "dir/deep/three"),
        { _tag: "move", path: bytes("one"), mode: 0o755, taken: 0 } as const,
        file("made/on/the/way", "x"),
        file("hollow", "instead of a directory", { taken: 1 })
      ]
      const failing = [
        [file("two", "it is there"), "EEXIST"],
        [file("one/below", "x"), "ENOTDIR"],
        [file("to-dir/through-a-link", "x"), "ELOOP"],
        [file("../out", "x"), "EXDEV"],
        [file("..", "x"), "EINVAL"],
        [{ _tag: "take", path: bytes("two"), seen: seen(root, "one") } as const, "ESTALE"],
        [{ _tag: "take", path: bytes("gone"), seen: seen(root, "one") } as const, "ESTALE"],
        [take(root, "dir"), "EISDIR"],
        [{ _tag: "move", path: bytes("x"), mode: undefined, taken: 2 } as const, "EBADMSG"],
        [file(`${"x".repeat(300)}`, "x"), "ENAMETOOLONG"]
      ] as const
      for (const [last, errno] of failing) {
        const failure = yield* Effect.flip(channel.changeFiles(root, [...begun(), last]))
        assert.include(failure.message, errno, failure.message)
        assert.deepStrictEqual(listing(root), before, errno)
      }
    }))

  it.effect("a change whose sender disconnects changes nothing", () =>
    Effect.gen(function*() {
      const root = yield* prepared("half")
      const before = listing(root)
      yield* Effect.scoped(Effect.gen(function*() {
        const channel = yield* Agent.connect()
        const many = Array.from({ length: 40 }, (_, index) => file(`new-${index}`, Buffer.alloc(500_000, "y")))
        const changing = yield* Effect.forkChild(channel.changeFiles(root, [take(root, "one"), ...many]))
        yield* until("it began", () => fs.readdirSync(root).some((name) => name.startsWith(".pyro-")))
        changing.interruptUnsafe()
      }))
      yield* Effect.scoped(Agent.connect())
      yield* until("what was staged is gone", () => !fs.readdirSync(root).some((name) => name.startsWith(".pyro-")))
      const after = listing(root)
      if ("new-0" in after) assert.strictEqual(Object.keys(after).filter((name) => name.startsWith("new-")).length, 40)
      else assert.deepStrictEqual(after, before)
    }))

  it.effect("a change refuses an invalid record", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const root = yield* prepared("garbage")
      const before = listing(root)
      const bad = { _tag: "link", path: bytes("a\0b"), target: bytes("x") } as const
      assert.include((yield* Effect.flip(channel.changeFiles(root, [bad]))).message, "EBADMSG")
      assert.deepStrictEqual(listing(root), before)
      assert.strictEqual(
        (yield* Stream.runCollect(channel.walk({ root, path: "" }))).length,
        Object.keys(before).length
      )
    }))

  it.effect("the next change takes back that of a killed VM and leaves that of a living writer", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const root = yield* prepared("killed")
      const before = listing(root)
      const stage = (
        name: string,
        files: Readonly<Record<string, string>>,
        links: Readonly<Record<string, string>>
      ) => {
        fs.mkdirSync(`${root}/${name}`, { mode: 0o700 })
        for (const [file, content] of Object.entries(files)) fs.writeFileSync(`${root}/${name}/${file}`, content)
        for (const [link, target] of Object.entries(links)) fs.symlinkSync(target, `${root}/${name}/${link}`)
      }
      // Two were taken: the place of one is taken by what was to be there, the directory of the other is gone.
      const killed = ".pyro-0123456789abcdef"
      stage(killed, { "1": "older one", "2": "was here", "3": "led out", "4": "never placed" }, {
        "1.path": "one",
        "2.path": "gone/with/it",
        // As a guest may have it: it leads out, or is only noted.
        "3.path": "../outside",
        "5.path": "two"
      })
      const living = ".pyro-fedcba9876543210"
      stage(living, { "1": "taken" }, { "1.path": "living" })
      stage(".pyro-notes", { "1": "mine" }, {})
      const lock = spawn("flock", [`${root}/${living}`, "sh", "-c", "echo locked; cat"], {
        stdio: ["pipe", "pipe", "ignore"]
      })
      yield* Effect.addFinalizer(() => Effect.sync(() => lock.stdin.end()))
      yield* Effect.promise(() => new Promise((resolve) => lock.stdout.once("data", resolve)))
      yield* channel.changeFiles(root, [])
      const { [`${living}/`]: _1, [`${living}/1`]: taken, [`${living}/1.path`]: _2, ...after } = listing(root)
      assert.strictEqual(taken, "644 taken")
      assert.deepStrictEqual(after, {
        ...before,
        ".pyro-notes/": "700",
        ".pyro-notes/1": "644 mine",
        "gone/": "755",
        "gone/with/": "755",
        "gone/with/it": "644 was here"
      })
      assert.isFalse(fs.existsSync(`${root}/../outside`))
    }))
})
