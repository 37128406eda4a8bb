import { assert, describe, it } from "vitest"
import { operations } from "../../../../src/contract/rows/operations.ts"
import { list } from "../../../../src/daemon/calls/list.ts"
import { isOfWorkspaces } from "../../../../src/daemon/calls/workspaces/work.ts"

const names = (rows: ReadonlyArray<{ readonly name: string }>) => rows.map(({ name }) => name).sort()

/** The rows of a line as words: all, all of workspaces, or their number with the names of few. */
const concerned = (rows: ReadonlyArray<{ readonly name: string }>) => {
  if (rows.length === operations.length) return "all"
  if (rows.length === operations.filter(isOfWorkspaces).length) return "all on workspaces"
  return rows.length > 22 ? `${rows.length} rows` : names(rows).join(" ")
}

const rowsOf = (line: string) =>
  operations.filter(
    list.flatMap(({ wraps }) => wraps.map(({ concerns, name }) => ({ concerns, name })))
      .find(({ name }) => name === line)!.concerns
  )

const EDITS =
  "workspace.file.chmod workspace.file.copy workspace.file.edit workspace.file.mkdir workspace.file.remove " +
  "workspace.file.rename workspace.file.write workspace.import workspace.patch.apply workspace.sync.push"

/** The whole list. A change of this order changes what a caller can see or do, so it needs a reason that review reads. */
const expected = [
  "— requests to the daemon",
  "caller: all",
  "attended: all",
  "hold: all",
  "audited: all",
  "input: 37 rows",
  "observed: all",
  "checked: all",
  "permitted: all",
  "places: all",
  "spool: env.build env.export env.import env.pull run saved.export saved.import workspace.create workspace.disk.export " +
  "workspace.export workspace.import workspace.sync.push workspace.update",
  "absolute paths: env.build env.export env.import run saved.export saved.import workspace.create workspace.disk.export " +
  "workspace.export workspace.import workspace.sync.push workspace.update",
  "— programs with pyro in their own process",
  // Nothing leaves pyro but through this line.
  "redacted: all",
  "exact names: daemon.stop env.export env.prune env.rm gc saved.delete saved.export workspace.cancel workspace.delete " +
  "workspace.disk.export workspace.export workspace.file.remove workspace.keep workspace.port.unpublish workspace.reset " +
  "workspace.service.stop workspace.shell.close workspace.shell.signal workspace.signal workspace.snapshot.delete " +
  "workspace.stop workspace.try",
  "— pyro's own calls",
  "room: env.import run saved.import workspace.commit workspace.create workspace.fork workspace.keep workspace.rewind " +
  "workspace.snapshot.create workspace.snapshot.save workspace.try",
  "unused workspaces of builds: doctor env.build env.export env.import env.pull prepare run spool.put spool.take " +
  "workspace.commit workspace.create workspace.reset workspace.start",
  "dev container: workspace.create workspace.reset workspace.start",
  "— calls on workspaces",
  "unused workspaces: all on workspaces",
  "found: all on workspaces",
  "remembered: 55 rows",
  "woken: 39 rows",
  "alone: workspace.keep workspace.network.set workspace.pause workspace.port.publish workspace.port.unpublish " +
  "workspace.rename workspace.reset workspace.resume workspace.rewind workspace.snapshot.create " +
  "workspace.snapshot.delete workspace.snapshot.save workspace.start workspace.stop workspace.update",
  "place: 42 rows",
  "quota: workspace.exec",
  "crossing: workspace.disk.export workspace.export workspace.import workspace.sync.push workspace.transfer.read",
  `point: workspace.exec ${EDITS.replace(" workspace.sync", " workspace.ssh.proxy workspace.sync")}`,
  `step: ${EDITS}`
]

describe("the list of what surrounds a call", () => {
  it("the lines stand in this order, and each concerns these operations", () => {
    const found = list.flatMap(({ enter, wraps }) => [
      `— ${enter}`,
      ...wraps.map(({ concerns, name }) => `${name}: ${concerned(operations.filter(concerns))}`)
    ])
    assert.deepStrictEqual(found, expected)
  })

  it("redaction is the outermost line around every answer, and only lines around requests are outside of it", () => {
    const [requests, answers] = list
    assert.strictEqual(answers.wraps[0]?.name, "redacted")
    assert.deepStrictEqual(names(rowsOf("redacted")), names(operations))
    assert.deepStrictEqual(list.map(({ enter }) => enter).indexOf(answers.enter), 1)
    assert.isFalse(requests.wraps.some(({ name }) => name === "redacted"))
  })

  it("an operation wakes, locks or remembers a workspace only after the line that finds the workspace", () => {
    const inWorkspace = names(operations.filter((row) => isOfWorkspaces(row) && "on" in row && row.on !== undefined))
    for (const line of ["remembered", "woken", "alone", "place", "crossing", "point", "step"]) {
      assert.includeMembers(inWorkspace, names(rowsOf(line)), line)
    }
  })

  it("each line says in one sentence without a full stop what it does and why it stands there", () => {
    const lines: ReadonlyArray<{ readonly name: string; readonly does: string; readonly because: string }> = list
      .flatMap(({ wraps }) => [...wraps])
    assert.strictEqual(new Set(lines.map(({ name }) => name)).size, lines.length)
    for (const { because, does, name } of lines) {
      assert.match(does, /^[a-z].*[^.]$/, name)
      assert.match(because, /^[a-z].*[^.]$/, name)
    }
  })
})
