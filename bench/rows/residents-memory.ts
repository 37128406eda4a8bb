import { Effect, Schema } from "effect"
import { ShellReadPayload, ShellWritePayload } from "../../src/contract/rows/workspace-shell-io.ts"
import { ShellOpenPayload } from "../../src/contract/rows/workspace-shell.ts"
import type { Daemon } from "../daemon.ts"
import { residentMib } from "../host-process.ts"
import { type Plan, side } from "../measure.ts"
import { start } from "./service.ts"

const many = 50
/** Work that the daemon defers is over by then, and V8 has given memory back. */
const settlesMs = 15_000
const settles = () => new Promise((resolve) => setTimeout(resolve, settlesMs))

const serve = (daemon: Daemon, workspace: string, name: string) =>
  start(daemon, { workspace, name, command: ["sh", "-c", "echo up; exec sleep 600"] })

/** A shell that has printed 2,000 lines and was read as plain text. */
const useShell = async (daemon: Daemon, workspace: string) => {
  const { shellId } = await daemon.call((pyro) =>
    pyro.workspace.shell.open(Schema.decodeSync(ShellOpenPayload())({ workspace, command: ["/bin/sh"] }))
  )
  const shell = { workspace, shell_id: shellId }
  const input = "seq 2000; echo last $((40+2))\n"
  await daemon.call((pyro) => pyro.workspace.shell.write(Schema.decodeSync(ShellWritePayload())({ ...shell, input })))
  const { waited } = await daemon.call((pyro) =>
    pyro.workspace.shell.read(Schema.decodeSync(ShellReadPayload())({ ...shell, plain: true, wait_for: "last 42" }))
  )
  if (waited !== "found") throw new Error(`a shell printed nothing: ${waited}`)
}

/** Numbers of services and of shells that run. */
const running = ({ call }: Daemon, workspace: string) =>
  call((pyro) =>
    Effect.zipWith(
      pyro.workspace.service.list({ workspace }),
      pyro.workspace.shell.list({ workspace }),
      ({ services }, { shells }) => [
        services.filter(({ state }) => state === "running").length,
        shells.filter(({ outcome }) => outcome === "running").length
      ]
    )
  )

export const residentsMemory: Plan = {
  name: "residents-memory",
  unit: "MiB",
  about:
    `growth of the daemon's resident memory by ${many} services and ${many} shells that run in one workspace at once. Each shell printed ` +
    "2,000 lines and was read as plain text",
  budget: { kind: "absolute", atMost: 64 },
  rounds: () => 1,
  warmups: 0,
  ours: async ({ daemon }) =>
    side(async () => {
      const workspace = await daemon.create({ memory_mib: 1024 })
      // The first ones load code, such as the emulator.
      await serve(daemon, workspace, "first")
      await useShell(daemon, workspace)
      await settles()
      const before = residentMib(await daemon.pid())
      for (let n = 0; n < many; n++) {
        await serve(daemon, workspace, `s${n}`)
        await useShell(daemon, workspace)
      }
      await settles()
      const grown = residentMib(await daemon.pid()) - before
      const alive = await running(daemon, workspace)
      await daemon.remove(workspace)
      if (alive.some((count) => count !== many + 1)) throw new Error(`${alive.join(" and ")} of ${many + 1} each run`)
      return grown
    })
}
