import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { PyroService } from "../../../src/contract/rows/Pyro.ts"
import type { ExportPayload } from "../../../src/contract/rows/workspace-export.ts"
import type { TransferEvent, TransferEventOf } from "../../../src/contract/rows/workspace-transfer.ts"
import { exportOver } from "../../../src/remote/files/export.ts"
import { payload, resultOf, scratch } from "../workspace/content/export/fake-guest.ts"

type Listed = TransferEventOf<"Listed">["entries"][number]
type Entry = Partial<Omit<Listed, "path" | "target">> & { readonly path: string; readonly target?: string }

const bytes = (text: string) => Buffer.from(text, "latin1")

const entry = ({ path, target, ...rest }: Entry): Listed => ({
  type: "file",
  mode: 0o644,
  size: 0,
  loses: [],
  ...rest,
  path: bytes(path),
  ...(target === undefined ? {} : { target: bytes(target) })
})

const root = entry({ path: "", type: "directory", mode: 0o755 })
const tree = (entryCount: number): TransferEvent => ({
  _tag: "Tree",
  top: bytes("src"),
  entryCount,
  excludedCount: 0,
  skippedCount: 0,
  skipped: []
})
const list = (...entries: ReadonlyArray<Listed>): TransferEvent => ({ _tag: "Listed", entries })
const part = (text: string, isLast = true): TransferEvent => ({ _tag: "Output", bytes: bytes(text), isLast })
const sent: TransferEvent = { _tag: "Sent", kind: "directory", files: 1, bytes: 1, converted: [] }

/** A whole transfer of these entries, each file with as many bytes as it has. */
const transfer = (...entries: ReadonlyArray<Entry>): ReadonlyArray<TransferEvent> => {
  const all = [root, ...entries.map(entry)]
  const files = all.filter(({ type }) => type === "file")
  return [tree(all.length), list(...all), ...files.map(({ size }) => part("x".repeat(Math.max(0, size)))), sent]
}

const file = (text: string) => ({ mode: 0o100644, size: text.length }) as const
const changed = (path: string, more: Partial<TransferEventOf<"Changed">> = {}): TransferEvent => ({
  _tag: "Changed",
  path: bytes(path),
  after: file("x"),
  ...more
})
const sentChanges: TransferEvent = { ...sent, kind: "changes", changedFiles: 1 }

/** Exports from a machine that sends these events, to a folder that begins empty. */
const exported = (
  folder: string,
  events: Iterable<TransferEvent> | Stream.Stream<TransferEvent>,
  fields: Partial<ExportPayload> = {}
) => {
  const machine = {
    workspace: {
      status: () => Effect.succeed({ id: "ws-0123456789" }),
      transfer: {
        read: () => Stream.isStream(events) ? events : Stream.fromIterable(events),
        applied: () => Effect.die("nothing was applied")
      }
    }
  } as unknown as PyroService
  const of = { stateDir: path.join(folder, "state"), context: { name: "bench", url: "ssh://bench" } }
  const asked = payload({ output: path.join(folder, "out"), ...fields })
  return resultOf(asked, exportOver(machine, of, asked))
}

/** The refusal of a lie. Nothing is written then, not even aside. */
const refused = (events: Parameters<typeof exported>[1], fields: Partial<ExportPayload> = {}) =>
  Effect.gen(function*() {
    const folder = yield* scratch
    if (fields.apply === true) fs.mkdirSync(path.join(folder, "out"))
    const error = yield* Effect.flip(exported(folder, events, fields))
    if (fields.apply === true) fs.rmdirSync(path.join(folder, "out"))
    assert.deepStrictEqual(fs.readdirSync(folder), [])
    assert.strictEqual(error._tag, "ExportRefused")
    return error.message
  })

describe("a machine that lies to an export", () => {
  it.effect("is believed as far as it tells the truth", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const { result } = yield* exported(
        folder,
        transfer({ path: "a", size: 3, mode: 0o6777 }, { path: "b", type: "symlink", target: "a" })
      )
      assert.deepStrictEqual([result.files, result.symlinks], [1, 1])
      assert.strictEqual(fs.readFileSync(path.join(folder, "out/a"), "utf8"), "xxx")
      assert.strictEqual(fs.statSync(path.join(folder, "out/a")).mode & 0o7777, 0o755)
    }))

  const lists: Readonly<Record<string, ReadonlyArray<Entry>>> = {
    "a name with ..": [{ path: "../x", size: 1 }],
    "a name with .. in the middle": [{ path: "d", type: "directory" }, { path: "d/../../x", size: 1 }],
    "an absolute name": [{ path: "/etc/cron.d/x", size: 1 }],
    "an empty component": [{ path: "d//x", size: 1 }],
    "a name with a NUL": [{ path: "a\0b", size: 1 }],
    "a git directory": [{ path: ".git", type: "directory" }],
    "a git directory in other letters": [{ path: ".GiT", type: "directory" }],
    "a short name of a git directory": [{ path: "git~1", type: "directory" }],
    "a link that leads out": [{ path: "l", type: "symlink", target: "../../etc" }],
    "an absolute link": [{ path: "l", type: "symlink", target: "/etc" }],
    "a link to nothing": [{ path: "l", type: "symlink", target: "absent" }],
    "a file beneath a link": [
      { path: "d", type: "directory" },
      { path: "l", type: "symlink", target: "d" },
      { path: "l/x", size: 1 }
    ],
    "a file beneath a file": [{ path: "a", size: 1 }, { path: "a/b", size: 1 }],
    "a file in no directory": [{ path: "d/x", size: 1 }],
    "two equal names": [{ path: "a", size: 1 }, { path: "a", size: 2 }],
    "a file and a link of one name": [{ path: "a", size: 1 }, { path: "a", type: "symlink", target: "a" }],
    "names out of order": [{ path: "b", size: 1 }, { path: "a", size: 1 }],
    "a negative size": [{ path: "a", size: -1 }],
    "a size that is no integer": [{ path: "a", size: 0.5 }],
    "a time that is none": [{ path: "a", size: 1, mtimeNs: "0x10" }],
    "a very long path": [{ path: "p".repeat(4000), size: 1 }]
  }
  for (const [lie, entries] of Object.entries(lists)) {
    it.effect(`writes nothing: ${lie}`, () =>
      Effect.map(
        refused(transfer(...entries.map((one) => ({ ...one, size: one.size ?? 0 })))),
        (message) =>
          assert.match(message, /context bench sent what no export has|that no file can have|in no directory/)
      ))
  }

  it.effect("writes nothing that tools of this computer would execute", () =>
    Effect.map(
      refused(transfer({ path: ".envrc", size: 1 })),
      (message) => assert.include(message, "tools of the host would execute")
    ))

  it.effect("sends no more entries and bytes than were asked for", () =>
    Effect.gen(function*() {
      assert.include(yield* refused(transfer({ path: "a" }, { path: "b" }), { maxEntries: 2 }), "at most 2 were asked")
      const large = [tree(2), list(root, entry({ path: "a", size: 10 * 2 ** 30 })), part("x"), sent]
      assert.include(yield* refused(large), "10240 MiB, more than 2048 MiB")
      const zeros = Stream.concat(
        Stream.make(tree(2), list(root, entry({ path: "a", size: 1 }))),
        Stream.forever(Stream.make<[TransferEvent]>({ _tag: "Output", bytes: Buffer.alloc(2 ** 20), isLast: false }))
      )
      assert.include(yield* refused(zeros), "more content than its size")
      const endless = Stream.concat(
        Stream.make(tree(90_001), list(root)),
        Stream.forever(Stream.make(list(entry({ path: "a" }))))
      )
      assert.include(yield* refused(endless), "a path that is listed twice")
    }))

  it.effect("has no words that move a terminal's cursor", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const [first, ...rest] = transfer({ path: "a", size: 2 })
      const told = {
        ...first,
        skippedCount: 1,
        skipped: [{ path: "\x1b[2J", reason: "\x1b]0;x\x07" }]
      } as TransferEvent
      const gone: TransferEvent = { _tag: "Output", bytes: bytes(""), isLast: true, gone: "\x1b[2Jgone" }
      const { result } = yield* exported(folder, [told, rest[0]!, gone, sent])
      assert.strictEqual(result.skippedCount, 2)
      assert.notInclude(JSON.stringify(result), "\\u001b")
    }))

  it.effect("writes nothing if the end is missing", () =>
    Effect.gen(function*() {
      const whole = transfer({ path: "a", size: 2 }, { path: "b", size: 2 })
      for (let length = 0; length < whole.length; length++) {
        assert.include(yield* refused(whole.slice(0, length)), "it ended before everything was there", `${length}`)
      }
      const open = [tree(2), list(root, entry({ path: "a", size: 4 })), part("xx", false)]
      assert.include(yield* refused(open), "it ended before everything was there")
      assert.include(yield* refused([...open, sent]), "Sent came in place of Output")
      assert.include(yield* refused([...whole.slice(0, -1), part("more"), sent]), "Output came in place of Sent")
    }))

  const diffs: Readonly<Record<string, readonly [ReadonlyArray<TransferEvent>, RegExp]>> = {
    "a path with ..": [[changed("../x"), part("x"), sentChanges], /paths that no patch may touch/],
    "an absolute path": [[changed("/x"), part("x"), sentChanges], /paths that no patch may touch/],
    "a hook of git": [[changed(".git/hooks/post-checkout"), part("x"), sentChanges], /paths that no patch may touch/],
    "executable configuration": [[changed(".envrc"), part("x"), sentChanges], /tools of the host would execute/],
    "two changes of one path": [
      [changed("a"), part("x"), changed("a"), part("x"), sentChanges],
      /two changes of one path/
    ],
    "a change of nothing": [[{ _tag: "Changed", path: bytes("a") }, sentChanges], /a change of nothing/],
    "a content that is longer": [[changed("a"), part("xx"), sentChanges], /another size than announced/],
    "a content that is shorter": [
      [changed("a", { after: { mode: 0o100644, size: 2 } }), part("x"), sentChanges],
      /another size than announced/
    ],
    "a content that is too large": [
      [changed("a", { after: { mode: 0o100644, size: 2 ** 40 } }), part("x"), sentChanges],
      /more content than a diff may have/
    ],
    "no content": [[changed("a"), sentChanges], /Sent came in place of Output/],
    "no end": [[changed("a"), part("x")], /it ended before everything was there/],
    "files in place of changes": [transfer({ path: "a", size: 1 }), /Tree came in place of a change/]
  }
  for (const [lie, [events, why]] of Object.entries(diffs)) {
    it.effect(`changes and writes nothing: ${lie}`, () =>
      Effect.gen(function*() {
        assert.match(yield* refused(events, { apply: true }), why)
        assert.match(yield* refused(events, { patch: true }), why)
      }))
  }

  it.effect("makes no link that leads out, and no diff but the reviewed one", () =>
    Effect.gen(function*() {
      const link = [changed("l", { after: { mode: 0o120000, size: 11 } }), part("/etc/passwd"), sentChanges]
      assert.include(yield* refused(link, { apply: true }), "links that lead elsewhere")
      const honest = [changed("a"), part("x"), { ...sentChanges, digest: "0".repeat(64) } as TransferEvent]
      // The digest is that of the changes, whatever the machine says.
      for (const fields of [{ apply: true }, { patch: true }]) {
        assert.include(yield* refused(honest, { ...fields, expect: "0".repeat(64) }), "not the expected one")
      }
    }))
})
