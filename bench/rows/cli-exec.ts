import { runProgram } from "../host-process.ts"
import { type Plan, side } from "../measure.ts"
import { emptyNode } from "./version.ts"

const empty = async () => side(async () => (await runProgram(emptyNode)).ms)

/** A command of pyro as a process, beside a daemon with one workspace. */
const beside = (words: (workspace: string) => ReadonlyArray<string>): Plan["ours"] => async ({ daemon, pyro }) => {
  const workspace = await daemon.create()
  return side(
    async () => (await runProgram([...pyro, ...words(workspace)])).ms,
    () => daemon.remove(workspace)
  )
}

export const cliExec: Plan = {
  name: "cli-exec",
  unit: "ms",
  about: "`pyro workspace exec ID -- true` as a process, until it has exited; floor: `node -e 0`",
  budget: { kind: "ratio", atMost: 1.9 },
  rounds: (runs) => 2 * runs,
  warmups: 3,
  floor: empty,
  ours: beside((workspace) => ["workspace", "exec", workspace, "--", "true"])
}

export const runDaemon: Plan = {
  name: "run-daemon",
  unit: "ms",
  about: "`pyro run ENV -- true` as a process, a daemon up and its pool warm; floor: `node -e 0`",
  budget: { kind: "ratio", atMost: 5 },
  rounds: (runs) => runs,
  warmups: 2,
  floor: empty,
  ours: async ({ daemon, environment, pyro }) => {
    const workspace = await daemon.create()
    return side(
      async () => {
        await daemon.settled()
        return (await runProgram([...pyro, "run", environment, "--", "true"])).ms
      },
      () => daemon.remove(workspace)
    )
  }
}

export const cliList: Plan = {
  name: "cli-list",
  unit: "ms",
  about: "`pyro workspace list` as a process, a daemon with one workspace up; floor: `node -e 0`",
  budget: { kind: "ratio", atMost: 1.7, plus: 30 },
  rounds: (runs) => 2 * runs,
  warmups: 3,
  floor: empty,
  ours: beside(() => ["workspace", "list"])
}
