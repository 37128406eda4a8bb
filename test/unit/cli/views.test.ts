import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import type { View } from "../../../src/cli/views/view.ts"
import { views } from "../../../src/cli/views/views.ts"
import type { ResultOf } from "../../../src/contract/rows/operations.ts"
import { showHostLists } from "../../../src/workspace/residents/network/show.ts"
import { shown, shownPages } from "./shown.ts"

const NOTHING = { files: 0, added: 0, modified: 0, deleted: 0, renamed: 0, typeChanged: 0, additions: 0, deletions: 0 }
const unchanged = {
  summary: NOTHING,
  files: [],
  unlisted: 0,
  ignoredCount: 0,
  specialCount: 0,
  verified: false,
  patch: ""
}
const large = (path: string, status: "added" | "deleted") => ({ path, status, size: 70_000_000, tooLarge: true })

describe("a difference", () => {
  const diff = (result: Partial<ResultOf<"workspace.diff">>, paths: ReadonlyArray<string> = []) =>
    shown("workspace.diff", { ...unchanged, ...result }, { workspace: "fix", paths })
  const compare = (result: Partial<ResultOf<"workspace.compare">>, from: string, to: string) =>
    shown("workspace.compare", { ...unchanged, ...result }, { from, to, paths: [] })

  it("the lists of hosts fit 80 columns, with every host", async () => {
    const { lists } = Effect.runSync(showHostLists)
    const { out } = await shown("network.lists", { lists }, {})
    for (const line of out.split("\n")) {
      // A long host stands alone.
      if (line.trim().includes(" ")) assert.isAtMost(line.length, 80, line)
    }
    assert.deepStrictEqual(
      out.split(/\s+/).filter((word) => /:\d+$/.test(word)),
      lists.flatMap(({ hosts }) => hosts)
    )
  })

  it("diff says that nothing changed, at all or in the given paths", async () => {
    assert.deepStrictEqual(await diff({}), { out: "", err: "nothing changed\n" })
    assert.deepStrictEqual(await diff({}, ["src"]), { out: "", err: "nothing changed in these paths\n" })
  })

  it("diff reports special files that it leaves out", async () => {
    assert.include((await diff({ specialCount: 1 })).err, "\n1 special file (pipe, socket or device) is left out\n")
    assert.include(
      (await diff({ specialCount: 2 })).err,
      "\n2 special files (pipes, sockets or devices) are left out\n"
    )
  })

  it("a diff of a workspace with mounts names these, and exits with 1 in every form", async () => {
    const mounted = {
      summary: { ...NOTHING, files: 1 },
      files: [{ path: "src", status: "mounted", size: 0 }],
      mountedCount: 1
    } as const
    assert.include((await diff(mounted)).err, "the diff is incomplete: something is mounted over 1 path (src); unmount")
    const { patch, ...stat } = { ...unchanged, ...mounted }
    assert.strictEqual(patch, "")
    assert.include(
      (await shown("workspace.diff", stat, { workspace: "fix", paths: [] })).out,
      " src |   ? something is mounted there: not compared\n"
    )
    const { exitStatus } = views["workspace.diff"] as View<"workspace.diff">
    assert.strictEqual(exitStatus?.(stat), 1)
  })

  it("a cut diff names the export command for the whole patch", async () => {
    assert.include(
      (await diff({ truncated: true })).err,
      "pyro: the patch is cut; export the whole patch: pyro export fix --patch --output -\n"
    )
  })

  it("diff exits with 1 if the printed patch is incomplete", () => {
    for (const name of ["workspace.diff", "workspace.compare"] as const) {
      const { exitStatus } = views[name] as View<"workspace.diff">
      const status = (result: Partial<ResultOf<"workspace.diff">>) => exitStatus?.({ ...unchanged, ...result } as never)
      assert.strictEqual(status({}), 0)
      assert.strictEqual(status({ truncated: true }), 1)
      assert.strictEqual(status({ lossy: true }), 1)
      assert.strictEqual(status({ tooLargeCount: 1 }), 1)
      // With --stat or --name-only there is no patch to be taken for the whole.
      const { patch: _, ...counted } = unchanged
      assert.strictEqual(exitStatus?.({ ...counted, tooLargeCount: 1 } as never), 0)
    }
  })

  it("diff names an export command for a file that is too large, quoted for a shell", async () => {
    const advice = async (...files: ReadonlyArray<ReturnType<typeof large>>) =>
      (await diff({ files, tooLargeCount: files.length })).err.split("with --stat")[1]
    assert.strictEqual(
      await advice(large("gone", "deleted"), large("it's big", "added")),
      String.raw`, export one: pyro export fix 'it'\''s big' --output FILE` + "\n"
    )
    assert.strictEqual(
      await advice(large("-x", "added")),
      ", export one: pyro export fix ./-x --output FILE\n"
    )
    assert.strictEqual(await advice(large("gone", "deleted")), "\n")
  })

  it("compare names the workspace that has a file that is too large", async () => {
    const advice = async (status: "added" | "deleted", from: string, to: string) =>
      (await compare({ files: [large("a", status)], tooLargeCount: 1 }, from, to)).err.split("with --stat")[1]
    assert.strictEqual(
      await advice("added", "one", "two"),
      ", export one: pyro export two a --output FILE\n"
    )
    assert.strictEqual(
      await advice("deleted", "one", "two"),
      ", export one: pyro export one a --output FILE\n"
    )
    assert.strictEqual(await advice("added", "one", "two@green"), "\n")
  })
})

describe("an applied patch", () => {
  it("patch apply reports hunks that fit at another line or without white space", async () => {
    const { err, out } = await shown("workspace.patch.apply", {
      applied: true,
      filesChanged: 1,
      files: [{ path: "a", change: "modified" }],
      notes: [
        { path: "a", hunk: 1, offsetLines: 27, loose: false },
        { path: "a", hunk: 2, offsetLines: -1, loose: true },
        { path: "a", hunk: 3, offsetLines: 0, loose: true }
      ]
    }, {})
    assert.strictEqual(out, "modified a\n")
    assert.strictEqual(
      err,
      "pyro: note: a hunk 1 fits 27 lines further down\n" +
        "pyro: note: a hunk 2 fits 1 line further up if white space is ignored\n" +
        "pyro: note: a hunk 3 fits if white space is ignored\n" +
        "1 file changed\n"
    )
  })
})

describe("a push", () => {
  const PUSHED = {
    filesPushed: 0,
    writtenCount: 0,
    removedCount: 0,
    equalCount: 0,
    files: [],
    conflictCount: 0,
    conflicts: [],
    warnings: [],
    skippedCount: 0,
    skipped: [],
    missingOnHostCount: 0,
    missingOnHost: [],
    ignoredCount: 0,
    ignored: []
  }
  const pushed = (reason: string, force: boolean) =>
    shown("workspace.sync.push", {
      ...PUSHED,
      conflictCount: 1,
      conflicts: [{ path: "README", reason }]
    }, { force })

  it("sync push names ignored files and --include-ignored", async () => {
    const { err } = await shown("workspace.sync.push", {
      ...PUSHED,
      ignoredCount: 2,
      ignored: ["build/", "node_modules/"]
    }, {})
    assert.include(
      err,
      "2 ignored files and directories stay on the host: build/, node_modules/; copy them with --include-ignored GLOB"
    )
  })

  it("sync push names files that are gone on the host and --delete", async () => {
    const { err } = await shown("workspace.sync.push", {
      ...PUSHED,
      missingOnHostCount: 7,
      missingOnHost: ["a", "b", "c", "d", "e", "f", "g"]
    }, {})
    assert.strictEqual(
      err,
      "pyro: 7 files that are gone on the host stay in the workspace: a, b, c, d, e and 2 more; --delete removes them\n" +
        "0 files written\n"
    )
  })

  it("sync push labels its counts", async () => {
    const { err } = await shown(
      "workspace.sync.push",
      { ...PUSHED, writtenCount: 1, equalCount: 2, removedCount: 3 },
      {}
    )
    assert.strictEqual(err, "1 file written, 2 already equal, 3 removed\n")
  })

  it("sync push names --force for files that were changed in the workspace", async () => {
    const hint = "pyro: overwrite files that were changed in the workspace: --force\n"
    assert.strictEqual(
      (await pushed("it was changed in the workspace too", false)).err,
      `pyro: left alone: README (it was changed in the workspace too)\n${hint}0 files written, 1 left alone\n`
    )
    assert.notInclude((await pushed("the workspace has a directory there", false)).err, "--force")
    assert.notInclude((await pushed("the workspace has a directory there", true)).err, "--force")
  })
})

describe("a part that is not there", () => {
  const read = (startLine: number, totalLines: number) =>
    shown("workspace.file.read", { path: "a", text: "", binary: false, truncated: false, totalLines }, { startLine })
  const ran = {
    execId: "0".repeat(32),
    command: ["ls"],
    startedAt: "2026-01-01T00:00:00.000Z",
    outcome: "exited" as const,
    outputBytes: 1234
  }
  const logged = (cursor: number, output: string) =>
    shown("workspace.logs", { commands: [ran], output }, { execId: ran.execId, cursor, encoding: "text" })

  it("a range after a file's end is reported with the file's length", async () => {
    assert.deepStrictEqual(await read(5000, 2001), {
      out: "",
      err: "pyro: nothing from line 5000 on; a has 2001 lines\n"
    })
    assert.strictEqual((await read(2001, 2001)).err, "")
    assert.strictEqual((await read(1, 0)).err, "")
  })

  it("a cut line is reported with the command that reads it whole", async () => {
    const cut = async (maxBytes: number, nextLine?: number) => {
      const file = { path: "a", text: "x", binary: false, truncated: true, cutLine: 3, ...(nextLine && { nextLine }) }
      return (await shown("workspace.file.read", file, { startLine: 3, maxBytes })).err
    }
    assert.strictEqual(
      await cut(100),
      "pyro: line 3 is longer than 100 bytes and cut; raise --max-bytes (at most 4194304), or copy the file with --output PATH\n"
    )
    assert.strictEqual(
      await cut(4_194_304, 4),
      "pyro: line 3 is longer than 4194304 bytes and cut; copy the file with --output PATH; continue with --start-line 4\n"
    )
  })

  it("a note about missing lines has its own line on a terminal only", async () => {
    const outOf = async (text: string, isTerminal: boolean, cutLine?: number) => {
      const file = { path: "a", text, binary: false, truncated: true, nextLine: 2, ...(cutLine && { cutLine }) }
      const { err, out } = await shown("workspace.file.read", file, { startLine: 1, maxBytes: 10 }, isTerminal)
      assert.match(err, /^pyro: /)
      return out
    }
    assert.strictEqual(await outOf("def add(a,", true, 1), "def add(a,\n")
    assert.strictEqual(await outOf("def add(a,", false, 1), "def add(a,")
    assert.strictEqual(await outOf("", true, 1), "")
    assert.strictEqual(await outOf("whole\n", true), "whole\n")

    const cut = { ...unchanged, patch: "--- a\n+x", truncated: true }
    assert.strictEqual((await shown("workspace.diff", cut, { paths: [], workspace: "fix" }, true)).out, "--- a\n+x\n")
    assert.strictEqual((await shown("workspace.diff", cut, { paths: [], workspace: "fix" })).out, "--- a\n+x")

    const page = { commands: [ran], output: "abc", nextCursor: 3 }
    const asked = { execId: ran.execId, cursor: 0, maxBytes: 3, encoding: "text" as const }
    assert.strictEqual((await shown("workspace.logs", page, asked, true)).out, "abc\n")
    assert.strictEqual((await shown("workspace.logs", page, asked)).out, "abc")
  })

  it("a cursor after the output's end is reported with the output's length", async () => {
    assert.deepStrictEqual(await logged(999_999, ""), {
      out: "",
      err: "pyro: nothing from byte 999999 on; the output has 1234 bytes\n"
    })
    assert.strictEqual((await logged(1234, "")).err, "")
  })

  it("logs shows a command without words as a login shell", async () => {
    const { out } = await shown("workspace.logs", { commands: [{ ...ran, command: [] }, ran] }, { cursor: 0 })
    assert.match(out, / 2 KiB +\(login shell\)\n.* 2 KiB +ls\n$/)
  })
})

describe("a service", () => {
  it("logs --follow says how the service ended, after its last output", async () => {
    const followed = (page: Partial<ResultOf<"workspace.service.logs">>, isTerminal = false) =>
      shown(
        "workspace.service.logs",
        { output: "x", nextCursor: 1, hasMore: false, ...page },
        { name: "web", follow: true },
        isTerminal
      )
    const failed = { state: "failed", detail: "it ended with status 9", status: 9 } as const
    assert.deepStrictEqual(await followed(failed, true), {
      out: "x\n",
      err: "pyro: web is failed: it ended with status 9\n"
    })
    assert.strictEqual(
      (await followed({ output: "x\n", state: "stopped", status: 143 })).err,
      "pyro: web is stopped, with status 143\n"
    )
    const detail = "its microVM ended\nend of the console:\n[1.0] panic"
    assert.strictEqual(
      (await followed({ output: "x\n", state: "failed", detail })).err,
      "pyro: web is failed: its microVM ended\n"
    )
    assert.deepStrictEqual(await followed({ ...failed, hasMore: true }, true), { out: "x", err: "" })
    assert.strictEqual((await followed({ state: "ready" })).err, "")
    const page = { output: "x", nextCursor: 1, hasMore: false, ...failed }
    assert.strictEqual((await shown("workspace.service.logs", page, { name: "web", follow: false })).err, "")
  })

  it("logs --follow begins its last line on a new line, also after an earlier page and in a file", async () => {
    const page = { nextCursor: 1, hasMore: false }
    const pages = [{ ...page, output: "partial", state: "ready" }, { ...page, output: "", state: "exited" }] as const
    const followed = (isTerminal: boolean) =>
      shownPages("workspace.service.logs", pages, { name: "web", follow: true }, isTerminal)
    assert.deepStrictEqual(await followed(true), { out: "partial\n", err: "pyro: web is exited\n" })
    assert.deepStrictEqual(await followed(false), { out: "partial", err: "\npyro: web is exited\n" })
  })

  it("list and status say when a failed service starts again", async () => {
    const waits = {
      name: "web",
      state: "starting",
      detail: "restarting in 3 s, because it ended with status 1",
      restartInMs: 2_100,
      command: ["serve"],
      startedAt: "2026-01-01T00:00:00.000Z",
      ports: [],
      uptimeMs: 1_000,
      restarts: 0,
      outputBytes: 0
    } as const
    const { out } = await shown("workspace.service.list", { services: [waits] }, { workspace: "fix" })
    assert.match(out, /web +restarting in 3 s +- +0 /)
    const status = await shown("workspace.service.status", waits, { workspace: "fix" })
    assert.match(status.out, /state +starting: restarting in 3 s, because it ended with status 1\n/)
    assert.match(status.out, /ran for +1.0 s\nrestarts +0\n/)
  })
})

describe("the next command", () => {
  it("a list without entries, and an answer that names a next command, print the whole command", async () => {
    const of = { workspace: "fix" }
    const err = [
      (await shown("workspace.port.list", { ports: [] }, of)).err,
      (await shown("workspace.port.publish", { guestPort: 80, hostPort: 40_000 }, of)).err,
      (await shown("workspace.port.unpublish", { guestPort: 80 }, of)).err,
      (await shown("workspace.service.list", { services: [] }, of)).err,
      (await shown("workspace.shell.list", { shells: [] }, of)).err,
      (await shown("workspace.shell.write", { cursor: 7 }, { ...of, shellId: "0123abcd" })).err
    ].join("")
    assert.deepStrictEqual(err.match(/pyro (?:port|service|shell) .*/g), [
      "pyro port publish fix 3000",
      "pyro port unpublish fix 80",
      "pyro port publish fix 80",
      "pyro service start fix web --ready-tcp 8000 -- python3 -m http.server 8000",
      "pyro shell open fix",
      "pyro shell read fix 0123abcd --plain --cursor 7 --wait-for-idle-ms 500"
    ])
  })
})

describe("what a new microVM has again", () => {
  const counts = { open: 0, allowed: 0, denied: 0, failed: 0, bytesOut: 0, bytesIn: 0 }
  const grant = { networkPolicy: "egress", allowHosts: ["npm"], denyHosts: [], allowIps: [], ...counts } as const
  const workspace = { id: "w-1", name: "fix", secretHttp: ["TOKEN@registry.test"], network: grant }

  it("start and reset say which network and which secrets of hosts come back", async () => {
    for (const [name, word] of [["workspace.start", "running"], ["workspace.reset", "reset"]] as const) {
      const { err } = await shown(name, { workspace: workspace as never, changed: true }, { workspace: "fix" })
      assert.strictEqual(
        err,
        `fix is ${word}\n  network: egress to npm\n  secrets of hosts: TOKEN@registry.test\n`
      )
    }
  })

  it("start of a workspace without a network says nothing of one", async () => {
    const off = { ...grant, networkPolicy: "off", allowHosts: [] }
    const workspace = { id: "w-1", name: "fix", network: off } as never
    assert.strictEqual((await shown("workspace.start", { workspace, changed: true }, {})).err, "fix is running\n")
  })

  it("start and stop say whether the workspace was running or stopped already", async () => {
    const workspace = { id: "w-1", name: "fix", network: grant } as never
    const said = async (name: "workspace.start" | "workspace.stop", changed: boolean) =>
      (await shown(name, { workspace, changed }, {})).err
    assert.strictEqual(await said("workspace.start", false), "fix is running already\n")
    assert.strictEqual(await said("workspace.stop", true), "fix is stopped; its disk is kept\n")
    assert.strictEqual(await said("workspace.stop", false), "fix is stopped already\n")
  })
})
