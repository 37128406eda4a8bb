import { ShellOpenPayload } from "../../src/contract/operations/workspace-shell-open.ts"
import { ShellReadPayload } from "../../src/contract/operations/workspace-shell-read.ts"
import { ShellWritePayload } from "../../src/contract/operations/workspace-shell-write.ts"
import { residentMib } from "../host-process.ts"
import { type Plan, side } from "../measure.ts"

const many = 50
/** Work that the daemon defers is over by then, and V8 has given memory back. */
const settlesMs = 15_000
const settles = () => new Promise((resolve) => setTimeout(resolve, settlesMs))

export const shellMemory: Plan = {
  name: "shell-memory",
  unit: "MiB",
  about:
    `growth of the daemon's resident memory by ${many} shells of one workspace, each of which printed 2,000 lines and was read as plain text`,
  budget: { kind: "absolute", atMost: 32 },
  rounds: () => 1,
  warmups: 0,
  ours: async ({ daemon }) =>
    side(async () => {
      const workspace = await daemon.create({ memory_mib: 512 })
      const open = async () => {
        const { shellId } = await daemon.call((pyro) =>
          pyro.workspace.shell.open(ShellOpenPayload().make({ workspace, command: ["/bin/sh"] }))
        )
        const shell = { workspace, shellId }
        const input = "seq 2000; echo last $((40+2))\n"
        await daemon.call((pyro) => pyro.workspace.shell.write(ShellWritePayload().make({ ...shell, input })))
        const { waited } = await daemon.call((pyro) =>
          pyro.workspace.shell.read(ShellReadPayload().make({ ...shell, plain: true, waitFor: "last 42" }))
        )
        if (waited !== "found") throw new Error(`a shell printed nothing: ${waited}`)
      }
      // The first one loads the emulator.
      await open()
      await settles()
      const before = residentMib(await daemon.pid())
      for (let n = 0; n < many; n++) await open()
      await settles()
      const grown = residentMib(await daemon.pid()) - before
      await daemon.remove(workspace)
      return grown
    })
}
