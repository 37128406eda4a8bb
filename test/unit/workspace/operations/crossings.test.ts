import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { Entry } from "../../../../src/workspace/entry/entry.ts"
import { recordCrossing } from "../../../../src/workspace/operations/crossings.ts"
import type { WorkspacesOperation } from "../../../../src/workspace/operations/work.ts"
import { temporaryFolder } from "../../../support/pyro-cli.ts"
import { eventLog } from "../../../support/workspace/event-log.ts"

/** The event, without its time, that a work's gift leaves in the log of a workspace. */
const recorded = (name: WorkspacesOperation, payload: object, given: object) =>
  Effect.acquireUseRelease(
    Effect.sync(() => temporaryFolder("pyro-crossings-")),
    ({ folder }) =>
      Effect.gen(function*() {
        const entry = { folder: { directory: folder } } as unknown as Entry
        yield* recordCrossing(name)({ entry }, payload)(given)
        const log = path.join(folder, "events.jsonl")
        if (!fs.existsSync(log)) return undefined
        const { at, ...event } = JSON.parse(fs.readFileSync(log, "utf8")) as { readonly at: string }
        assert.isNotNaN(Date.parse(at))
        return event
      }).pipe(Effect.provide(eventLog)),
    ({ remove }) => Effect.sync(remove)
  )

const summary = { kind: "file", output: "/home/me/a", files: 1, bytes: 2, digest: "d1" }

describe("the events of crossings", () => {
  const cases: ReadonlyArray<readonly [string, WorkspacesOperation, object, object, object | undefined]> = [
    ["an import", "workspace.import", { sourcePath: "/home/me/a" }, { path: "/tmp/a", files: 2, bytes: 3 }, {
      _tag: "import",
      from: "/home/me/a",
      to: "/tmp/a",
      files: 2,
      bytes: 3
    }],
    ["a push", "workspace.sync.push", { sourcePath: "/p", dest: "" }, { filesPushed: 4, bytes: 5, conflictCount: 1 }, {
      _tag: "sync_push",
      from: "/p",
      files: 4,
      bytes: 5,
      conflicts: 1
    }],
    [
      "a push into a directory",
      "workspace.sync.push",
      { sourcePath: "/p", dest: "sub" },
      { filesPushed: 0, bytes: 0, conflictCount: 0 },
      { _tag: "sync_push", from: "/p", to: "sub", files: 0, bytes: 0, conflicts: 0 }
    ],
    ["an export of paths", "workspace.export", { path: "a", paths: ["b", "c"] }, { _tag: "Exported", summary }, {
      _tag: "export",
      kind: "file",
      path: "a and 2 more",
      to: "/home/me/a",
      files: 1,
      bytes: 2,
      digest: "d1"
    }],
    [
      "an export of everything",
      "workspace.export",
      { path: "", paths: [] },
      { _tag: "Exported", summary: { ...summary, kind: "archive", digest: undefined } },
      { _tag: "export", kind: "archive", path: "/workspace", to: "/home/me/a", files: 1, bytes: 2 }
    ],
    [
      "a patch of everything",
      "workspace.export",
      { path: "", paths: [] },
      { _tag: "Exported", summary: { ...summary, kind: "patch", changedFiles: 3 } },
      { _tag: "export", kind: "patch", to: "/home/me/a", files: 1, changedFiles: 3, bytes: 2, digest: "d1" }
    ],
    [
      "the changes of files",
      "workspace.export",
      { path: "", paths: [] },
      { _tag: "Exported", summary: { ...summary, kind: "changes", changedFiles: 3 } },
      { _tag: "export", kind: "changes", to: "/home/me/a", files: 1, changedFiles: 3, bytes: 2, digest: "d1" }
    ],
    [
      "a check of the changes of files",
      "workspace.export",
      { path: "", paths: [] },
      { _tag: "Exported", summary: { ...summary, kind: "changes", checked: true } },
      undefined
    ],
    ["the progress of an export", "workspace.export", { path: "", paths: [] }, { _tag: "Notice" }, undefined],
    ["an export of a disk", "workspace.disk.export", {}, { _tag: "Exported", output: "/d", writtenBytes: 6 }, {
      _tag: "export",
      kind: "disk",
      to: "/d",
      files: 1,
      bytes: 6
    }],
    ["an operation that crosses nothing", "workspace.file.read", {}, { path: "a" }, undefined]
  ]
  for (const [title, name, payload, given, expected] of cases) {
    it.effect(`${title} leaves ${expected === undefined ? "no event" : "its event"}`, () =>
      Effect.map(recorded(name, payload, given), (event) => assert.deepStrictEqual(event, expected)))
  }
})
