import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { hostInventory } from "../host/host-inventory.ts"
import { ownCache } from "../own-cache.ts"
import { pyro, startPyro, temporaryFolder } from "../pyro-cli.ts"
import { knownAccelerator } from "../run/accelerator.ts"
import { lapsed } from "../until.ts"

/** Where a run is, as seen from outside. */
const phases = ["start", "template", "prepare", "restore", "command", "release"] as const
type Phase = (typeof phases)[number]

const atOnce = 4

interface Record {
  readonly purpose: string
  readonly owner: { readonly pid: number }
  readonly qemu?: unknown
}

/** `gc` after runs that were killed in each of their phases, so often each. */
export const killSuite = (killsPerPhase: number) =>
  describe("kill -9 of pyro at any moment", () => {
    const { folder, remove } = temporaryFolder("pyro-kill-")
    const state = path.join(folder, "state")
    const cache = ownCache(folder, { templates: "common" })
    const env = { PYRO_STATE_DIR: state, PYRO_CACHE_DIR: cache, ...knownAccelerator() }
    afterAll(remove)

    const recordOf = (pid: number): Record | "preparing" | undefined => {
      const vms = path.join(state, "vms")
      for (const name of fs.existsSync(vms) ? fs.readdirSync(vms) : []) {
        if (name.startsWith(`new-${pid}-`)) return "preparing"
        try {
          const record = JSON.parse(fs.readFileSync(path.join(vms, name, "record.json"), "utf8")) as Record
          if (record.owner.pid === pid) return record
        } catch { /* being made, or being removed */ }
      }
      return undefined
    }

    const phaseOf = (pid: number, printed: string): Phase => {
      if (printed.includes("end")) return "release"
      if (printed.includes("up")) return "command"
      const record = recordOf(pid)
      if (record === undefined) return "start"
      if (record === "preparing") return "prepare"
      if (record.purpose !== "run") return "template"
      return record.qemu === undefined ? "prepare" : "restore"
    }

    /** Starts a run, waits until it is in a phase, a little longer, and kills it. Gives the phase it really was in then. */
    const killIn = async (wanted: Phase, number: number): Promise<Phase> => {
      // A size that no other run has needs a template of its own.
      const memoryMib = wanted === "template" ? 300 + number : 256
      const args = [
        "run",
        "debian:12",
        "--mem-mib",
        String(memoryMib),
        "--",
        "sh",
        "-c",
        "echo up; sleep 0.2; echo end"
      ]
      const { child, finished, stdoutSoFar } = startPyro(args, { env })
      const now = () => phaseOf(child.pid!, stdoutSoFar().toString())
      const delayMs = Math.random() *
        (wanted === "start"
          ? 250
          : wanted === "template"
          ? 1500
          : wanted === "restore"
          ? 150
          : wanted === "prepare"
          ? 20
          : 30)
      const deadline = Date.now() + 60_000
      while (now() !== wanted && child.exitCode === null && Date.now() < deadline) {
        await lapsed(1)
      }
      await lapsed(delayMs)
      const phase = now()
      child.kill("SIGKILL")
      const { signal } = await finished
      return signal === "SIGKILL" ? phase : killIn(wanted, number)
    }

    it(
      `gc removes everything that killed runs left: ${phases.length * killsPerPhase} kills, ${atOnce} at a time`,
      async () => {
        assert.strictEqual((await pyro(["run", "debian:12", "--mem-mib", "256", "--", "true"], { env })).code, 0)
        // It takes the workspaces' lock, whose file then stays.
        assert.strictEqual((await pyro(["gc"], { env })).code, 0)
        const before = hostInventory({ state, cache })
        const histogram = new Map<Phase, number>(phases.map((phase) => [phase, 0]))
        let number = 0
        const wanted = (): Phase | undefined => phases.find((phase) => histogram.get(phase)! < killsPerPhase)
        // Kills land where they land; what is short of its share is aimed at again.
        const aims = Array.from({ length: killsPerPhase }, () => phases).flat()
        const worker = async () => {
          for (;;) {
            const aim = aims.pop() ?? (number < 200 ? wanted() : undefined)
            if (aim === undefined) return
            const phase = await killIn(aim, number++)
            histogram.set(phase, histogram.get(phase)! + 1)
          }
        }
        await Promise.all(Array.from({ length: atOnce }, worker))
        const total = [...histogram.values()].reduce((sum, count) => sum + count, 0)
        process.stdout.write(
          `kills by phase: ${[...histogram].map(([phase, count]) => `${phase} ${count}`).join(", ")} (${total})\n`
        )
        assert.isAtLeast(total, phases.length * killsPerPhase)
        for (const [phase, count] of histogram) assert.isAtLeast(count, killsPerPhase / 2, phase)

        // The kernel ends their QEMUs without anybody's help; the files stay until somebody looks.
        const swept = await pyro(["gc", "--json"], { env })
        assert.strictEqual(swept.code, 0, swept.stderr)
        assert.deepStrictEqual(hostInventory({ state, cache }), before)
        // And again: nothing more to do, and everything still works.
        const again = JSON.parse((await pyro(["gc", "--json"], { env })).stdout.toString()) as {
          removed: ReadonlyArray<{ readonly kind: string }>
        }
        // What is half made of environments may be another test's.
        assert.deepStrictEqual(again.removed.filter(({ kind }) => kind !== "build"), [])
        assert.strictEqual((await pyro(["run", "debian:12", "--mem-mib", "256", "--", "true"], { env })).code, 0)
      },
      900_000
    )
  })
