import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { hostInventory } from "../host/host-inventory.ts"
import { shapeOf } from "../installation.ts"
import { until } from "../pyro-cli.ts"
import { furtherCases } from "../run/further-cases.ts"
import { settled, settlesAs } from "../settled.ts"
import type { LifecycleDriver } from "./lifecycle-suite.ts"
import { operations } from "./operations.ts"
import type { WorkspacesClient } from "./workspaces-client.ts"

interface Tried {
  readonly name: string
  readonly outcome: string
  readonly step?: string
  readonly status?: number
  readonly tail: string
  readonly reason?: string
  readonly tests?: object
  readonly diff?: object
  readonly memoryBytes?: number
}

interface Done {
  readonly candidates: ReadonlyArray<Tried>
  readonly best?: string
  readonly bestReason?: string
  readonly kept?: string
  readonly workspace: { readonly id: string; readonly name: string }
}

const patch = (line: string) => `--- a/file\n+++ b/file\n@@ -1 +1 @@\n-old\n+${line}\n`

/** Tries over any VMM: all cases, or one of each kind that the VMM can make another. */
export const trySuite = (
  name: string,
  driver: LifecycleDriver,
  { cases = "all" }: { readonly cases?: "all" | "of the VMM" } = {}
) => {
  const more = furtherCases(cases)
  let client: WorkspacesClient
  let shape: ReadonlyArray<string>
  const { call, create, list, logs, sh, snapshots, startProgram, status, vmsNow } = operations(() => client)
  const attempt = (payload: object) => call<Done>("try", { workspace: "origin", ...payload })
  const refused = (payload: object) => attempt(payload).then(() => "it succeeded", String)
  const outcomes = ({ candidates }: Done) => candidates.map(({ name, outcome }) => [name, outcome])
  /** Layers and disks are numbered: a keep makes another disk, and a capture an empty layer. */
  const isPartOfShape = (line: string) =>
    !/\/(\d+\.(qcow2|store|ext4)|mem\.[^/]*)$|local-disks|\/volatile\/|\/owner\.lock$/.test(line)
  const shapeNow = () =>
    shapeOf(hostInventory({ state: client.state }), client.state).filter(isPartOfShape)
      .map((line) => line.replace(/disk-\d+/, "disk-N"))

  const candidateBegins = () => until("the fork", () => vmsNow().length === 2)

  const isAlone = async (content: string) => {
    assert.deepStrictEqual((await list()).map((one) => one.name), ["origin"])
    assert.deepStrictEqual(await snapshots("origin"), {})
    assert.strictEqual(await sh("origin", "cat file"), content)
    await settlesAs(shapeNow, shape)
  }

  describe(`a try over ${name}`, { concurrent: false }, () => {
    beforeAll(async () => {
      client = await driver.open()
      await create("origin")
      await sh("origin", "echo old > file; sync")
      shape = await settled(shapeNow)
    })
    afterAll(() => driver.close(client))

    it("patches and commands are judged by the check, each in a fork of its own, and nothing is left", async () => {
      const check = ["sh", "-c", "echo ran in $(cat file); grep -q right file"]
      const done = await attempt({
        candidates: [
          { name: "wrong", patch: patch("wrong") },
          { patch: patch("right") },
          { name: "unfit", patch: patch("right").replace("-old", "-other") },
          { name: "script", command: "echo right >> file; echo right > second" },
          { name: "ends", command: "echo gives up; exit 7" }
        ],
        check
      })
      assert.deepStrictEqual(outcomes(done), [
        ["wrong", "failed"],
        ["candidate-2", "passed"],
        ["unfit", "patch_refused"],
        ["script", "passed"],
        ["ends", "failed"]
      ])
      const [wrong, right, unfit, script, ends] = done.candidates
      assert.deepInclude(wrong, { step: "check", status: 1, tail: "ran in wrong\n" })
      assert.deepInclude(right, { step: "check", status: 0, diff: { files: 1, additions: 1, deletions: 0 } })
      assert.match(unfit!.reason!, /file/)
      assert.deepInclude(script, { diff: { files: 2, additions: 3, deletions: 0 } })
      assert.deepInclude(ends, { step: "candidate", status: 7, tail: "gives up\n" })
      assert.deepStrictEqual([done.best, done.kept], ["candidate-2", undefined])
      assert.strictEqual(done.bestReason, "both passed; the smaller diff: 1 line changed, and 3 in script")
      await isAlone("old")
    })

    more("without a check the candidate's own end judges it, and its tests are counted", async () => {
      const done = await attempt({
        candidates: [
          { command: "echo 'TAP version 13'; echo 'ok 1 - a'; echo '1..1'" },
          { command: "echo 'TAP version 13'; echo 'ok 1 - a'; echo 'ok 2 - b # SKIP'; echo 'ok 3 - c'; echo '1..3'" }
        ],
        max_parallel: 1
      })
      assert.deepStrictEqual(done.candidates.map(({ tests }) => tests), [
        { format: "tap", passed: 1, failed: 0, skipped: 0 },
        { format: "tap", passed: 2, failed: 0, skipped: 1 }
      ])
      assert.strictEqual(done.best, "candidate-2")
    })

    more("a request that contradicts itself ends before anything is made", async () => {
      const one = { command: "true" }
      assert.include(await refused({ candidates: [] }), "must be 1 to 16 candidates")
      assert.include(await refused({ candidates: Array.from({ length: 17 }, () => one) }), "must be 1 to 16 candidates")
      assert.include(await refused({ candidates: [{ name: "both", ...one, patch: "" }] }), "both must have one patch")
      assert.include(await refused({ candidates: [{ name: "a", ...one }, { name: "a", ...one }] }), "two candidates")
      assert.include(
        await refused({ candidates: [{ name: "best", ...one }] }),
        "must not be none, best, first-pass, ask"
      )
      assert.include(await refused({ candidates: [one], keep: "other" }), "no candidate other")
      assert.include(await refused({ candidates: [one], keep: "ask" }), "only pyro on a terminal can ask")
      await isAlone("old")
    })

    more("a candidate that takes too long is ended, and the first that passes ends the others", async () => {
      const late = await attempt({ candidates: [{ command: "echo begun; exec sleep 1000" }], timeout_seconds: 1 })
      assert.deepInclude(late.candidates[0], { outcome: "timed_out", tail: "begun\n" })
      const done = await attempt({
        candidates: [{ command: "exec sleep 1000" }, { command: "true" }, { command: "echo late" }],
        max_parallel: 2,
        stop_at_first_pass: true
      })
      const [slow, first, last] = outcomes(done).map(([, outcome]) => outcome)
      assert.deepStrictEqual([slow, first], ["stopped", "passed"])
      assert.include(["stopped", "not_started"], last)
      await isAlone("old")
    })

    more("a caller that leaves takes the candidates along", async () => {
      const payload = {
        workspace: "origin",
        candidates: [{ command: "exec sleep 1000" }, { command: "true" }],
        max_parallel: 2
      }
      for (const until of ["Started", "Tried"]) {
        await call("try-abandoned", { until, payload })
        await isAlone("old")
      }
    })

    more("nothing is kept that did not pass", async () => {
      for (const keep of ["best", "first-pass", "candidate-1"]) {
        const done = await attempt({ candidates: [{ command: "echo new > file; false" }], keep })
        assert.deepStrictEqual([done.best, done.kept], ["candidate-1", undefined])
      }
      const other = await attempt({ candidates: [{ command: "false" }, { command: "true" }], keep: "candidate-1" })
      assert.deepStrictEqual([other.best, other.kept], ["candidate-2", undefined])
      await isAlone("old")
    })

    it("the kept candidate is the workspace, with its id, its policy and what ran in the candidate", async () => {
      const before = await status("origin")
      const done = await attempt({
        candidates: [
          { name: "long", command: "echo new > file; echo more > other" },
          { name: "short", command: "echo new > file; nohup sleep 1000 > /dev/null 2>&1 & echo $! > /dev/shm/pid" },
          { name: "none", patch: patch("x") }
        ].map((one) => one.name === "none" ? { ...one, name: "bad", patch: "no patch" } : one),
        check: ["grep", "-q", "new", "file"],
        keep: "best"
      })
      assert.deepStrictEqual(outcomes(done), [["long", "passed"], ["short", "passed"], ["bad", "patch_refused"]])
      assert.strictEqual(done.kept, "short")
      const { generation, id, network, state } = await status("origin")
      assert.deepStrictEqual([id, state, generation], [before.id, "running", before.generation + 1])
      assert.deepStrictEqual(network, before.network)
      assert.strictEqual(await sh("origin", "cat file; ls; cat /etc/hostname"), "new\nfile\norigin")
      if (driver.capturesPrograms) await sh("origin", "kill -0 $(cat /dev/shm/pid)")
      const { events } = await call<{ readonly events: ReadonlyArray<{ readonly text: string }> }>("events", {
        workspace: "origin"
      })
      assert.strictEqual(events.at(-1)!.text, "candidate short of a try became the workspace")
      await isAlone("new")
    })

    more("the workspace goes on while candidates are tried, and a keep says what it left behind", async () => {
      await startProgram("origin", "until [ -e /dev/shm/go ]; do sleep 0.02; done; echo gone > file")
      const keeping = attempt({ candidates: [{ name: "slow", command: "sleep 3; echo kept > file" }], keep: "slow" })
      await candidateBegins()
      await sh("origin", "touch /dev/shm/go; until grep -q gone file; do sleep 0.02; done")
      assert.strictEqual((await keeping).kept, "slow")
      await isAlone("kept")
    })

    it("a command that runs goes on in the kept candidate, and one that started later is lost", async () => {
      const running = await startProgram("origin", "echo begun; until [ -e end ]; do sleep 0.02; done; echo ended")
      const keeping = attempt({ candidates: [{ command: "sleep 2; echo kept > file" }], keep: "best" })
      await candidateBegins()
      const late = await startProgram("origin", "exec sleep 1000")
      assert.strictEqual((await keeping).kept, "candidate-1")
      const all = await logs("origin")
      const outcomeOf = (id: string) => all.find(({ execId }) => execId === id)?.outcome
      assert.strictEqual(outcomeOf(late), "lost")
      assert.strictEqual(outcomeOf(running), driver.capturesPrograms ? "running" : "lost")
      await isAlone("kept")
      if (!driver.capturesPrograms) return
      await sh("origin", "touch end")
      const { stdout } = await call<{ readonly stdout: string }>("exec", { workspace: "origin", exec_id: running })
      assert.strictEqual(stdout, "begun\nended\n")
      await sh("origin", "rm end")
    })

    more("a candidate is kept only in the workspace that it was forked from", async () => {
      const keeping = attempt({ candidates: [{ command: "sleep 3; echo new > file" }], keep: "best" })
      await candidateBegins()
      await call("reset", { workspace: "origin" })
      await sh("origin", "echo fresh > file; sync")
      assert.strictEqual((await keeping).kept, undefined)
      await isAlone("fresh")
    })

    it("a try ends with its workspace", async () => {
      const ending = refused({ candidates: [{ command: "exec sleep 1000" }] })
      await candidateBegins()
      await call("delete", { workspaces: ["origin"] })
      assert.match(await ending, /origin/)
      assert.deepStrictEqual(await list(), [])
    })
  })
}
