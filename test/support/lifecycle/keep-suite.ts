import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { until } from "../pyro-cli.ts"
import { furtherCases } from "../run/further-cases.ts"
import { pointsOf } from "./fault-points.ts"
import type { LifecycleDriver } from "./lifecycle-suite.ts"
import { operations } from "./operations.ts"
import { rewindSteps } from "./rewind-steps.ts"
import type { WorkspacesClient } from "./workspaces-client.ts"

interface Done {
  readonly best?: string
  readonly keepable?: ReadonlyArray<string>
  readonly keepableUntil?: string
}

interface Kept {
  readonly kept: string
  readonly undo?: string
}

/** Keeps of candidates after their try, over any VMM: all cases, or one of each kind that the VMM can make another. */
export const keepSuite = (
  name: string,
  driver: LifecycleDriver,
  { cases = "all" }: { readonly cases?: "all" | "of the VMM" } = {}
) => {
  const more = furtherCases(cases)
  let client: WorkspacesClient
  const known = operations(() => client)
  const { call, create, remove, sh, snapshots, status } = known
  const { history, rewind } = rewindSteps(known)
  const attempt = (candidates: Readonly<Record<string, string>>, given: object = {}) =>
    call<Done>("try", {
      workspace: "w",
      candidates: Object.entries(candidates).map(([name, command]) => ({ name, command })),
      ...given
    })
  const keep = (candidate: string) => call<Kept>("keep", { workspace: "w", candidate })
  const refused = (candidate: string) => keep(candidate).then(() => "it succeeded", String)
  const keeps = async () =>
    (await history("w")).commands.filter(({ command }) => command.startsWith("pyro try")).map((
      { command, undone }
    ) => ({
      command,
      undone
    }))
  /** Disks of candidates that stay. */
  const states = async () => {
    const { id } = await status("w")
    const folder = path.join(client.state, "workspaces", id, "snapshots")
    return fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => name.startsWith(".")).length : 0
  }

  describe(`the keep of a candidate after its try, over ${name}`, { concurrent: false }, () => {
    beforeAll(async () => {
      client = await driver.open()
      client.setForNext("PYRO_REWIND_MIB", "2048")
      client.setForNext("PYRO_REWIND_EVERY_MS", "0")
    })
    afterAll(() => driver.close(client))

    it("a candidate becomes the workspace, a rewind undoes that, and another one can be kept then", async () => {
      await create("w")
      await sh("w", "echo old > file; sync")
      const done = await attempt({ one: "echo one > file; touch more", two: "echo two > file; exit 3" })
      assert.deepStrictEqual([done.best, done.keepable], ["one", ["one", "two"]])
      assert.isAbove(Date.parse(done.keepableUntil!), Date.now())
      assert.strictEqual(await sh("w", "cat file"), "old")
      assert.deepStrictEqual(await snapshots("w"), {})
      const { generation, id } = await status("w")

      const first = await keep("one")
      assert.strictEqual(first.kept, "one")
      assert.strictEqual(await sh("w", "cat file; ls"), "one\nfile\nmore")
      assert.deepInclude(await status("w"), { id, generation: generation + 1, state: "running" })
      await rewind("w", { to: first.undo! })
      assert.strictEqual(await sh("w", "cat file; ls"), "old\nfile")

      // The process that made the candidates need not be the one that keeps them.
      await client.close()
      await keep("two")
      assert.strictEqual(await sh("w", "cat file"), "two")
      await keep("one")
      assert.strictEqual(await sh("w", "cat file"), "one")
      assert.deepStrictEqual(await keeps(), [
        { command: "pyro try --keep one", undone: true },
        { command: "pyro try --keep two", undone: false },
        { command: "pyro try --keep one", undone: false }
      ])
      assert.include(await refused("three"), "the last try of w has no candidate three to keep; it has one, two")
    })

    it("services of a candidate start again, and the next try replaces the candidates", async () => {
      await call("service-start", { workspace: "w", name: "web", command: ["sleep", "1000"] })
      await attempt({ served: "echo served > file" })
      await keep("served")
      // The services of the local agent have ended in the candidate.
      const expected = driver.capturesPrograms ? "running" : "failed"
      await until(`the service is ${expected}`, async () => {
        const { state } = await call<{ readonly state: string }>("service-status", { workspace: "w", name: "web" })
        return state === expected
      })
      assert.strictEqual(await sh("w", "cat file"), "served")
      await call("service-stop", { workspace: "w", name: "web" })
      assert.include(await refused("one"), "has no candidate one to keep; it has served")
      assert.strictEqual(await states(), 1)
    })

    more("a reset forgets the candidates, and an interrupted try leaves those of the one before", async () => {
      await call("try-abandoned", {
        until: "Tried",
        payload: { workspace: "w", candidates: [{ command: "true" }, { command: "exec sleep 1000" }], max_parallel: 2 }
      })
      await keep("served")
      assert.strictEqual(await states(), 1)
      await call("reset", { workspace: "w" })
      assert.include(await refused("served"), "no candidate of a try of w can be kept")
      assert.strictEqual(await states(), 0)
      await remove("w")
    })

    it("the best candidates stay, as far as the room for points goes, and none without that", async () => {
      if ((await known.list()).length === 0) await create("w")
      await client.close()
      // The disks of local agents have no layers that grow.
      if (driver.capturesPrograms) {
        client.setForNext("PYRO_REWIND_MIB", "40")
        const write = "head -c 30M /dev/urandom > big; sync"
        const { best, keepable } = await attempt({ large: `${write}; false`, other: write })
        assert.deepStrictEqual([best, keepable], ["other", ["other"]])
        assert.strictEqual(await states(), 1)
        await client.close()
      }
      client.setForNext("PYRO_REWIND_MIB", "0")
      assert.notProperty(await attempt({ one: "true" }), "keepable")
      assert.include(await refused("one"), "PYRO_REWIND_MIB of the daemon is 0")
      assert.strictEqual(await states(), 0)
      await client.close()
      client.setForNext("PYRO_REWIND_MIB", "2048")
      await remove("w")
    })

    more("candidates go after a day and with the host's boot, whatever the clock does", async () => {
      await create("w")
      await attempt({ one: "echo one > file" })
      const file = path.join(client.state, "workspaces", (await status("w")).id, "tried.json")
      const tried = JSON.parse(fs.readFileSync(file, "utf8")) as { readonly endedAtMs: number }
      for (const shift of [-1, 1]) {
        fs.writeFileSync(file, JSON.stringify({ ...tried, endedAtMs: tried.endedAtMs + shift * 86_500_000 }))
        assert.include(await refused("one"), "no candidate of a try of w can be kept")
      }
      fs.writeFileSync(file, JSON.stringify({ ...tried, hostBoot: "another" }))
      assert.include(await refused("one"), "no candidate of a try of w can be kept")
      fs.writeFileSync(file, JSON.stringify(tried))
      await keep("one")
      await client.close()
      fs.writeFileSync(file, "{")
      assert.include(await refused("one"), "no candidate of a try of w can be kept")
      assert.strictEqual(await states(), 0)
      await remove("w")
    })

    const killed = (point: string, operation: "keep" | "try") =>
      more(
        `a process killed at ${point} of ${operation} leaves the workspace as it was, or the candidate`,
        async () => {
          await create("w")
          await sh("w", "echo old > file; sync")
          const payload = { workspace: "w", candidates: [{ name: "way", command: "echo new > file; sync" }] }
          if (operation === "keep") await call("try", payload)
          await client.killedAt(point, operation, operation === "keep" ? { workspace: "w", candidate: "way" } : payload)
          assert.strictEqual((await status("w")).state, "running")
          const isKept = (await sh("w", "cat file")) === "new"
          assert.lengthOf(await keeps(), isKept ? 1 : 0)
          const stays = operation === "keep" || point === "tried:finished"
          assert.strictEqual(await states(), stays ? 1 : 0)
          if (stays) {
            await keep("way")
            assert.strictEqual(await sh("w", "cat file"), "new")
          } else assert.include(await refused("way"), "no candidate of a try of w can be kept")
          await remove("w")
        }
      )
    for (const point of ["tried:stored", "tried:finished"]) killed(point, "try")
    for (
      const point of [
        "point:layer",
        "point:frozen",
        "point:linked",
        "point:committed",
        ...pointsOf("reset-to"),
        "try:kept"
      ]
    ) killed(point, "keep")
  })
}
