import { useState } from "react"
import type { WorkspaceInfo } from "../../../../src/contract/rows/workspace-info.ts"
import { useAction } from "../live/action.ts"
import { useLoaded } from "../live/loaded.ts"
import { useStore } from "../live/store.ts"
import { workspaces } from "../live/workspaces.ts"
import { bytesText, clockText } from "../parts/format.ts"
import { Problem } from "../parts/problem.tsx"
import { go, Link, pathOf } from "../parts/route.tsx"
import { State } from "../parts/state.tsx"
import { Text } from "../parts/text.tsx"
import { ask, perform } from "../wire/calls.ts"
import { Confirm } from "../workspace/confirm.tsx"
import { Compare } from "./compare.tsx"
import { firstByReset, MOST_COMMANDS, type NamedPoint, namedPoints } from "./points.ts"
import { rewoundText } from "./rewound.ts"

const read = async ({ id }: WorkspaceInfo) => {
  const [{ snapshots }, history] = await Promise.all([
    ask("workspace.snapshot.list", { workspace: id }),
    // A failed workspace may have no commands to read.
    ask("workspace.history", { workspace: id, limit: MOST_COMMANDS }).then(
      (history) => ({ points: namedPoints(history), byReset: firstByReset(history) }),
      () => ({ points: [], byReset: undefined })
    )
  ])
  return { snapshots, ...history }
}

type Place =
  | { readonly _tag: "snapshot"; readonly at: string; readonly name: string; readonly says: string }
  | { readonly _tag: "point" } & NamedPoint
  | { readonly _tag: "fork"; readonly at: string; readonly made: WorkspaceInfo }

const keyOf = (place: Place) =>
  `${place._tag} ${place._tag === "snapshot" ? place.name : place._tag === "point" ? place.id : place.made.id}`

interface Source {
  readonly snapshot?: string
  readonly at?: string
}

/** The steps of the tree. `run` shows what each says. */
const stepsOn = (workspace: string, run: (name: string, step: () => Promise<string>) => Promise<unknown>) => {
  const fork = (from: Source) =>
    run("fork", async () => {
      const { workspaces: [made] } = await perform("workspace.fork", {
        workspace,
        ...from
      })
      go(pathOf(made!.id))
      return `Fork ${made!.name ?? made!.id} is ready.`
    })
  const rewind = ({ at, id, says }: NamedPoint) =>
    run("rewind", async () => {
      const rewound = await perform("workspace.rewind", { workspace, to: id })
      const where = says === "" ? "" : `, ${says}`
      return `The workspace is back at the point of ${clockText(at)}${where}. ${rewoundText(rewound)}`
    })
  const restore = (snapshot: string) =>
    run("restore", async () => {
      await perform("workspace.reset", { workspace, snapshot })
      return `The workspace is as it was in ${snapshot}.`
    })
  const reset = () =>
    run("reset", async () => {
      await perform("workspace.reset", { workspace })
      return "The workspace is as it was after its creation."
    })
  const remove = (name: string) =>
    run("remove", async () => {
      await ask("workspace.snapshot.delete", { workspace, name })
      return `Snapshot ${name} is deleted.`
    })
  return { fork, remove, reset, restore, rewind }
}

/** One place of the tree, with its steps. */
const PlaceRow = ({ fork, isBusy, of: place, remove, restore, rewind }: {
  readonly of: Place
  readonly isBusy: boolean
  readonly restore: (snapshot: string) => void
  readonly fork: (from: Source) => void
  readonly rewind: (point: NamedPoint) => void
  readonly remove: (snapshot: string) => void
}) => (
  <li className={place._tag === "fork" ? "branch" : undefined}>
    <time dateTime={place.at} className="faint">{clockText(place.at)}</time>
    {place._tag === "snapshot"
      ? (
        <>
          <span>
            snapshot{" "}
            <strong>
              <Text of={place.name} />
            </strong>
          </span>
          <span className="faint">{place.says}</span>
          <span className="buttons">
            <button type="button" disabled={isBusy} onClick={() => restore(place.name)}>Restore…</button>
            <button type="button" disabled={isBusy} onClick={() => fork({ snapshot: place.name })}>
              Start from it
            </button>
            <button type="button" disabled={isBusy} onClick={() => remove(place.name)}>Delete</button>
          </span>
        </>
      )
      : place._tag === "point"
      ? (
        <>
          <span>point{place.current ? "" : " (left by a rewind)"}</span>
          <span id={`says-${place.id}`} className="faint">
            <Text of={place.says} />
          </span>
          <span className="buttons">
            <button
              type="button"
              aria-describedby={`says-${place.id}`}
              disabled={isBusy}
              onClick={() => rewind(place)}
            >
              Go back
            </button>
            <button
              type="button"
              aria-describedby={`says-${place.id}`}
              disabled={isBusy}
              onClick={() => fork({ at: place.id })}
            >
              Start from it
            </button>
          </span>
        </>
      )
      : (
        <>
          <span>
            fork{" "}
            <Link to={pathOf(place.made.id)}>
              <Text of={place.made.name ?? place.made.id} />
            </Link>
          </span>
          <State of={place.made} />
        </>
      )}
  </li>
)

/** Snapshots, points of rewind and forks of a workspace, as one tree to go back to, to start from and to compare. */
export const Tree = ({ of }: { readonly of: WorkspaceInfo }) => {
  const workspace = of.id
  const all = useStore(workspaces)
  const { failure, reload, value } = useLoaded(`${workspace} ${of.state} ${of.lastActivityAt}`, () => read(of))
  const action = useAction()
  const [restoring, setRestoring] = useState<string>()
  const [isResetting, setResetting] = useState(false)
  const isBusy = action.running !== undefined
  const forks = [...all?.values() ?? []].filter(({ workspace: { forkedFrom } }) => forkedFrom === workspace)
  const places: ReadonlyArray<Place> = [
    ...value?.snapshots.map(({ createdAt, kind, memoryBytes, name }): Place => ({
      _tag: "snapshot",
      at: createdAt,
      name,
      says: kind === "memory" ? `memory and disk, ${bytesText(memoryBytes)}` : "files"
    })) ?? [],
    ...value?.points.map((point): Place => ({ _tag: "point", ...point })) ?? [],
    ...forks.map(({ workspace: made }): Place => ({ _tag: "fork", at: made.createdAt, made }))
  ].toSorted((one, other) => one.at < other.at ? -1 : one.at > other.at ? 1 : 0)
  const run = (name: string, step: () => Promise<string>) =>
    action.run(name, async () => {
      const said = await step()
      reload()
      return said
    })
  const { fork, remove, reset, restore, rewind } = stepsOn(workspace, run)
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
            {value?.byReset === undefined ? null : (
              <>
                <span className="faint">
                  before <Text of={value.byReset} />, by a reset
                </span>
                <span className="buttons">
                  <button type="button" disabled={isBusy} onClick={() => setResetting(true)}>Go back…</button>
                </span>
              </>
            )}
          </li>
          {places.map((place) => (
            <PlaceRow
              key={keyOf(place)}
              of={place}
              isBusy={isBusy}
              restore={setRestoring}
              fork={fork}
              rewind={rewind}
              remove={remove}
            />
          ))}
          <li>
            <span className="faint">now</span>
            <State of={of} />
          </li>
        </ul>
        {isResetting
          ? (
            <Confirm
              title="Reset"
              of={of}
              says="No point is before the first command. A reset returns there, and discards every change of the disk, every process and the history of commands."
              act={() => void reset()}
              close={() => setResetting(false)}
            />
          )
          : null}
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
