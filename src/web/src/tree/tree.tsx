import { useState } from "react"
import type { WorkspaceInfo } from "../../../contract/rows/workspace-info.ts"
import { useAction } from "../live/action.ts"
import { useLoaded } from "../live/loaded.ts"
import { useStore } from "../live/store.ts"
import { workspaces } from "../live/workspaces.ts"
import { bytesText, clockText, plural } from "../parts/format.ts"
import { Problem } from "../parts/problem.tsx"
import { go, Link, pathOf } from "../parts/route.tsx"
import { State } from "../parts/state.tsx"
import { Text } from "../parts/text.tsx"
import { ask, perform } from "../wire/calls.ts"
import { Confirm } from "../workspace/confirm.tsx"
import { Compare } from "./compare.tsx"

const read = async ({ id }: WorkspaceInfo) => {
  const [{ snapshots }, points] = await Promise.all([
    ask("workspace.snapshot.list", { workspace: id }),
    // A failed workspace may have no commands to read.
    ask("workspace.history", { workspace: id, limit: 100 }).then(({ points }) => points, () => [])
  ])
  return { snapshots, points }
}

type Place =
  | { readonly _tag: "snapshot"; readonly at: string; readonly name: string; readonly says: string }
  | {
    readonly _tag: "point"
    readonly at: string
    readonly id: string
    readonly says: string
    readonly current: boolean
  }

/** Snapshots, points of rewind and forks of a workspace, as one tree to go back to, to start from and to compare. */
export const Tree = ({ of }: { readonly of: WorkspaceInfo }) => {
  const workspace = of.id
  const all = useStore(workspaces)
  const { failure, reload, value } = useLoaded(`${workspace} ${of.state} ${of.lastActivityAt}`, () => read(of))
  const action = useAction()
  const [restoring, setRestoring] = useState<string>()
  const isBusy = action.running !== undefined
  const places: ReadonlyArray<Place> = value === undefined ? [] : [
    ...value.snapshots.map(({ createdAt, kind, memoryBytes, name }): Place => ({
      _tag: "snapshot",
      at: createdAt,
      name,
      says: kind === "memory" ? `memory and disk, ${bytesText(memoryBytes)}` : "files"
    })),
    ...value.points.map(({ commands, createdAt, current, id }): Place => ({
      _tag: "point",
      at: createdAt,
      id,
      current,
      says: `before command ${commands + 1}`
    }))
  ].toSorted((one, other) => one.at < other.at ? -1 : 1)
  const forks = [...all?.values() ?? []].filter(({ workspace: { forkedFrom } }) => forkedFrom === workspace)
  const run = (name: string, step: () => Promise<string>) =>
    action.run(name, async () => {
      const said = await step()
      reload()
      return said
    })
  const fork = (from: { readonly snapshot?: string; readonly at?: string }) => () =>
    run("fork", async () => {
      const { workspaces: [made] } = await perform("workspace.fork", {
        workspace,
        count: 1,
        withoutSecrets: false,
        ...from
      })
      go(pathOf(made!.id))
      return `Fork ${made!.name ?? made!.id} is ready.`
    })
  const rewind = (to: string) => () =>
    run("rewind", async () => {
      const { notUndone, undone } = await perform("workspace.rewind", { workspace, to })
      return [`Undid ${plural(undone.length, "command")}.`, ...notUndone].join(" ")
    })
  const restore = (snapshot: string) =>
    run("restore", async () => {
      await perform("workspace.reset", { workspace, snapshot })
      return `The workspace is as it was in ${snapshot}.`
    })
  const remove = (name: string) => () =>
    run("remove", async () => {
      await ask("workspace.snapshot.delete", { workspace, name })
      return `Snapshot ${name} is deleted.`
    })
  return (
    <>
      <section aria-labelledby="tree">
        <h2 id="tree">Snapshots, points and forks</h2>
        {failure === undefined ? null : <Problem of={failure} retry={reload} />}
        {action.failure === undefined ? null : <Problem of={action.failure} />}
        <ul className="rows history">
          <li>
            <time dateTime={of.createdAt} className="faint">{clockText(of.createdAt)}</time>
            {of.forkedFrom === undefined
              ? "created"
              : (
                <span>
                  fork of <Link to={pathOf(of.forkedFrom)}>{of.forkedFrom}</Link>
                </span>
              )}
          </li>
          {places.map((place) => (
            <li key={place._tag === "snapshot" ? `s ${place.name}` : `p ${place.id}`}>
              <time dateTime={place.at} className="faint">{clockText(place.at)}</time>
              {place._tag === "snapshot"
                ? (
                  <span>
                    snapshot{" "}
                    <strong>
                      <Text of={place.name} />
                    </strong>
                  </span>
                )
                : <span>point{place.current ? "" : " (left by a rewind)"}</span>}
              <span className="faint">{place.says}</span>
              <span className="buttons">
                {place._tag === "snapshot"
                  ? (
                    <>
                      <button type="button" disabled={isBusy} onClick={() => setRestoring(place.name)}>Restore…</button>
                      <button type="button" disabled={isBusy} onClick={fork({ snapshot: place.name })}>
                        Start from it
                      </button>
                      <button type="button" disabled={isBusy} onClick={remove(place.name)}>Delete</button>
                    </>
                  )
                  : (
                    <>
                      <button type="button" disabled={isBusy} onClick={rewind(place.id)}>Go back</button>
                      <button type="button" disabled={isBusy} onClick={fork({ at: place.id })}>Start from it</button>
                    </>
                  )}
              </span>
            </li>
          ))}
          {forks.map(({ workspace: made }) => (
            <li key={made.id} className="branch">
              <time dateTime={made.createdAt} className="faint">{clockText(made.createdAt)}</time>
              <span>
                fork{" "}
                <Link to={pathOf(made.id)}>
                  <Text of={made.name ?? made.id} />
                </Link>
              </span>
              <State of={made} />
            </li>
          ))}
          <li>
            <span className="faint">now</span>
            <State of={of} />
          </li>
        </ul>
        {restoring === undefined ? null : (
          <Confirm
            title="Restore"
            of={of}
            says={`The workspace returns to the snapshot ${restoring}. Later changes and processes are lost.`}
            act={() => void restore(restoring)}
            close={() => setRestoring(undefined)}
          />
        )}
      </section>
      {value === undefined ? null : (
        <Compare
          title="Compare"
          places={[
            [workspace, `${of.name ?? workspace} (now)`],
            ...value.snapshots.map(({ name }) => [`${workspace}@${name}`, `snapshot ${name}`] as const)
          ]}
        />
      )}
    </>
  )
}
