import { Effect } from "effect"
import { ChannelFailed } from "../../contract/errors/errors.ts"
import type { WorkspaceInfo } from "../../contract/rows/workspace-info.ts"
import type { ForkFields } from "../promises/shapes.ts"
import type { Workspace } from "../promises/workspace.ts"
import { execIn } from "./exec.ts"
import { filesOf } from "./files.ts"
import type { Host } from "./host.ts"
import type { Given, InEffect } from "./in-effect.ts"
import { handle } from "./marks.ts"
import { inSeconds } from "./option-names.ts"
import { networkOf, portsOf, servicesOf, snapshotsOf } from "./parts.ts"
import { portIn } from "./port.ts"
import { attachIn, spawnIn } from "./process.ts"
import { shellIn } from "./shell.ts"
import { giveSigns, type Signs } from "./signs.ts"
import { tryIn } from "./try.ts"

/** A workspace in a program of Effect. */
export type WorkspaceHandle = InEffect<Workspace>

/** Deletes a workspace. Succeeds if it is already gone. */
const removeFrom = ({ pyro, use }: Host, workspace: string) =>
  use(pyro.workspace.delete({ workspaces: [workspace] })).pipe(
    Effect.asVoid,
    Effect.catchTag("WorkspaceNotFound", () => Effect.void)
  )

/** A handle that gives signs of life. */
export const keptAliveWorkspace = (on: Host, info: WorkspaceInfo, owned: boolean, signs: Signs | undefined) =>
  Effect.as(
    signs === undefined ? Effect.void : giveSigns(on, info.id, signs),
    workspaceOf(on, info, owned, signs)
  )

/**
 * The handle of a workspace. `owned`: the program has made it, so that the end of its use deletes it. `signs`: those that its forks give as well,
 * because they have its times.
 */
export const workspaceOf = (on: Host, info: WorkspaceInfo, owned: boolean, signs?: Signs): WorkspaceHandle => {
  const workspace = info.id
  const host = on.of({ workspaceId: workspace })
  const { pyro: { workspace: operations }, use } = host
  const infoAfter = ({ workspace }: { readonly workspace: WorkspaceInfo }) => workspace
  const remove = removeFrom(host, workspace)
  /** Forks of a workspace, which the Scope deletes. pyro makes all of them or none. */
  const fork = (count: number, options: Given<ForkFields> | undefined, owned: boolean) =>
    Effect.acquireRelease(
      Effect.flatMap(
        use(operations.fork.collect({ ...options, count, workspace })),
        ({ workspaces }) => Effect.forEach(workspaces, (made) => keptAliveWorkspace(on, made, owned, signs))
      ),
      (made) => Effect.forEach(made, (one) => Effect.ignoreCause(one.delete()), { discard: true, concurrency: 4 }),
      { interruptible: true }
    )
  return handle<WorkspaceHandle>("Workspace", {
    id: workspace,
    name: info.name ?? null,
    info,
    status: () => use(operations.status({ workspace })),
    exec: execIn(host, workspace),
    spawn: spawnIn(host, workspace),
    attach: attachIn(host, workspace),
    commands: () => Effect.map(use(operations.logs({ workspace })), ({ commands }) => commands),
    shell: shellIn(host, workspace),
    services: servicesOf(host, workspace),
    files: filesOf(host, workspace),
    port: portIn(host, workspace),
    ports: portsOf(host, workspace),
    network: networkOf(host, workspace),
    snapshot: (name) =>
      Effect.map(use(operations.snapshot.create.collect({ workspace, name })), ({ snapshot }) => snapshot),
    snapshots: snapshotsOf(host, workspace),
    save: (name, options) =>
      Effect.map(use(operations.snapshot.save.collect({ ...options, workspace, name })), ({ saved }) => saved),
    commit: (name, options) => use(operations.commit.collect({ ...options, workspace, name })),
    fork: (options) =>
      Effect.flatMap(
        fork(1, options, false),
        ([made]) =>
          made === undefined
            ? Effect.fail(new ChannelFailed({ detail: "the fork ended without a workspace" }))
            : Effect.succeed(made)
      ),
    forks: (count, options) => Effect.map(fork(count, options, true), (made) => handle("Forks", made)),
    try: tryIn(host, workspace),
    keep: (candidate) => use(operations.keep.collect({ workspace, candidate })),
    reset: (options) => Effect.map(use(operations.reset.collect({ ...options, workspace })), infoAfter),
    history: (options) => use(operations.history({ ...options, workspace })),
    rewind: (options) => use(operations.rewind.collect({ ...options, workspace })),
    stop: () => Effect.map(use(operations.stop.collect({ workspace })), infoAfter),
    pause: () => Effect.map(use(operations.pause.collect({ workspace })), infoAfter),
    resume: () => Effect.map(use(operations.resume.collect({ workspace })), infoAfter),
    rename: (name) => use(operations.rename({ workspace, name })),
    update: (options) => use(operations.update({ ...inSeconds(options), workspace })),
    start: () => Effect.map(use(operations.start.collect({ workspace })), infoAfter),
    diff: (options) => use(operations.diff({ ...options, workspace })),
    patch: (patch, options) =>
      use(operations.patch.apply({
        ...options,
        ...(typeof patch === "string" ? { patch } : { patchBytes: patch }),
        workspace
      })),
    export: (path, output, options) => use(operations.export.collect({ ...options, workspace, path, output })),
    import: (sourcePath, path, options) => use(operations.import({ ...options, workspace, sourcePath, path })),
    push: (sourcePath, options) => use(operations.sync.push({ ...options, workspace, sourcePath })),
    delete: () => remove
  }, owned ? remove : undefined)
}
