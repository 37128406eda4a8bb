import { Effect, Schema, Stream } from "effect"
import { TryPayload } from "../../src/contract/rows/workspace-try.ts"
import type { Daemon } from "../daemon.ts"
import { descendants, proportionalMib } from "../host-process.ts"
import { type Plan, side } from "../measure.ts"
import { copiesAndRestores } from "./snapshot.ts"

const command = ["/bin/cat", "/etc/debian_version"] as const
const candidates = 8
const usedMib = 560
const memoryMib = 1_280
/** Deferred work of a guest after its first command is over by then. */
const settleMs = 1_500

/** A workspace with much memory in use. */
const warm = async (daemon: Daemon) => {
  const workspace = await daemon.create({ memory_mib: memoryMib })
  await daemon.exec(workspace, "/bin/sh", "-c", `head -c ${usedMib}M /dev/urandom > /dev/shm/used`)
  return workspace
}

/** Begins a try, looks at it when all candidates run, and ends it. */
const whileTrying = <A>(daemon: Daemon, workspace: string, look: () => Promise<A>) =>
  daemon.call((pyro) =>
    Effect.gen(function*() {
      const payload = yield* Effect.orDie(
        Schema.decodeUnknownEffect(TryPayload())({
          workspace,
          candidates: Array.from({ length: candidates }, () => ({ command: `${command.join(" ")}; exec sleep 1000` })),
          max_parallel: candidates
        })
      )
      let begun = 0
      const seen = yield* pyro.workspace.try(payload).pipe(
        Stream.filter(({ _tag }) => _tag === "Started" && ++begun === candidates),
        Stream.mapEffect(() => Effect.promise(look)),
        Stream.runHead
      )
      return seen._tag === "Some" ? seen.value : yield* Effect.die(new Error("not all candidates began"))
    })
  )

/** Pids of the VMs of workspaces and candidates. */
const pidsOf = async (daemon: Daemon) => {
  const { vms } = await daemon.call((pyro) => pyro.daemon.status({}))
  return vms.flatMap(({ pid, purpose, workspace }) =>
    purpose === "workspace" && pid !== undefined ? [{ workspace, pids: [pid, ...descendants(pid)] }] : []
  )
}

export const tryForks: Plan = {
  name: "try-8",
  unit: "ms",
  about:
    `begin of a try of a workspace with ${usedMib} MiB in use, until all ${candidates} candidates are forked; floor: one fork ` +
    `(copy, copy and restore) and ${candidates} restores by a script, one after the other`,
  budget: { kind: "ratio", atMost: 2 },
  rounds: () => 3,
  warmups: 1,
  floor: copiesAndRestores({ usedMib, copies: 2, restores: candidates + 1 }),
  ours: async ({ daemon }) => {
    const workspace = await warm(daemon)
    return side(async () => {
      const since = performance.now()
      return whileTrying(daemon, workspace, async () => performance.now() - since)
    }, () => daemon.remove(workspace))
  }
}

export const tryMemory: Plan = {
  name: "try-memory",
  unit: "MiB",
  about:
    `proportional set size of the VMs of ${candidates} candidates in all, after a first command in each, of a workspace with ${usedMib} MiB in ` +
    "use; floor: that of the workspace's own VM",
  budget: { kind: "ratio", atMost: 1.3 },
  rounds: () => 2,
  warmups: 0,
  floor: async ({ daemon }) => {
    const workspace = await warm(daemon)
    return side(async () => {
      const own = (await pidsOf(daemon)).find((vm) => vm.workspace === workspace)
      return proportionalMib(own?.pids ?? [])
    }, () => daemon.remove(workspace))
  },
  ours: async ({ daemon }) => {
    const workspace = await warm(daemon)
    return side(() =>
      whileTrying(daemon, workspace, async () => {
        await new Promise((resolve) => setTimeout(resolve, settleMs))
        // A candidate is no workspace to anybody.
        return proportionalMib((await pidsOf(daemon)).flatMap((vm) => vm.workspace === undefined ? vm.pids : []))
      }), () => daemon.remove(workspace))
  }
}
