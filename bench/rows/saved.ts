import { Effect, Schema, Stream } from "effect"
import { CreatePayload } from "../../src/contract/rows/workspace-lifecycle.ts"
import type { Bench } from "../bench.ts"
import type { Daemon } from "../daemon.ts"
import { type Plan, side, timed } from "../measure.ts"
import { forksOf } from "./snapshot.ts"

export const command = ["/bin/cat", "/etc/debian_version"] as const
const name = "bench"

const save = (daemon: Daemon, workspace: string) =>
  daemon.call((pyro) => Stream.runDrain(pyro.workspace.snapshot.save({ workspace, name })))

const deleteSaved = (daemon: Daemon) => daemon.call((pyro) => Effect.asVoid(pyro.saved.delete({ names: [name] })))

/** Starts a workspace from the saved snapshot. Gives its id. */
const createFrom = (daemon: Daemon): Promise<string> =>
  daemon.call((pyro) =>
    Effect.gen(function*() {
      const payload = yield* Effect.orDie(Schema.decodeUnknownEffect(CreatePayload())({ from_snapshot: name }))
      const last = yield* Stream.runLast(pyro.workspace.create(payload))
      return last._tag === "Some" && last.value._tag === "Ready"
        ? last.value.workspace.id
        : yield* Effect.die(new Error("create ended without a workspace"))
    })
  )

/** Makes a workspace, runs a first command in it, and removes it. The removal is not measured. */
export const used = async (daemon: Daemon, make: () => Promise<string>, argv: ReadonlyArray<string> = command) => {
  let id = ""
  const ms = await timed(async () => {
    id = await make()
    await daemon.exec(id, ...argv)
  })
  await daemon.remove(id)
  return ms
}

/** Forks a workspace, runs a first command in the fork, and removes it. */
const forked = (daemon: Daemon, workspace: string) =>
  used(daemon, async () => {
    const [id] = await forksOf(daemon, workspace, 1)
    return id!
  })

/** What rows beside a fork share. The floor: a fork of a workspace, and the fork's first command. */
export const besideFork = {
  unit: "ms",
  rounds: (runs: number) => runs,
  warmups: 2,
  floor: async ({ daemon }: Bench) => {
    const workspace = await daemon.create()
    return side(() => forked(daemon, workspace), () => daemon.remove(workspace))
  }
} as const

export const saveRow: Plan = {
  ...besideFork,
  name: "save",
  about: "save of a running workspace; floor: a fork of it, and the fork's first command",
  budget: { kind: "ratio", atMost: 1 },
  ours: async ({ daemon }) => {
    const workspace = await daemon.create()
    return side(async () => {
      const ms = await timed(() => save(daemon, workspace))
      await deleteSaved(daemon)
      return ms
    }, () => daemon.remove(workspace))
  }
}

export const createSaved: Plan = {
  ...besideFork,
  name: "create-saved",
  about:
    "create of a workspace from a saved snapshot and its first command; floor: a fork, and the fork's first command",
  budget: { kind: "ratio", atMost: 1.2 },
  ours: async ({ daemon }) => {
    const workspace = await daemon.create()
    await save(daemon, workspace)
    await daemon.remove(workspace)
    return side(() => used(daemon, () => createFrom(daemon)), () => deleteSaved(daemon))
  }
}
