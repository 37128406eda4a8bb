import { type ReactNode, useEffect } from "react"
import { policyText } from "../../../../src/contract/rows/network-text.ts"
import { Files } from "../files/files.tsx"
import { type Seen, useWorkspace } from "../live/workspaces.ts"
import { Network } from "../network/network.tsx"
import { nameText } from "../parts/blanks.ts"
import { bytesText } from "../parts/format.ts"
import { Ports } from "../parts/ports.tsx"
import { Boundary } from "../parts/problem.tsx"
import { Link, pathOf } from "../parts/route.tsx"
import { State } from "../parts/state.tsx"
import { Message, Text } from "../parts/text.tsx"
import { Review } from "../review/review.tsx"
import { Services } from "../services/services.tsx"
import { Shells } from "../shells/shells.tsx"
import { Tree } from "../tree/tree.tsx"
import { Try } from "../try/try.tsx"
import { Actions } from "./actions.tsx"
import { Timeline } from "./timeline.tsx"
import { WaitingLogins } from "./waiting-logins.tsx"

interface View {
  readonly path: string
  readonly name: string
  readonly show: (seen: Seen) => ReactNode
  /** It reads files, which would resume a paused workspace. */
  readonly wakes?: true
}

const views: ReadonlyArray<View> = [
  { path: "", name: "Timeline", show: ({ workspace }) => <Timeline workspace={workspace.id} /> },
  { path: "review", name: "Review", show: ({ workspace }) => <Review of={workspace} />, wakes: true },
  { path: "try", name: "Try", show: ({ workspace }) => <Try of={workspace} /> },
  { path: "shells", name: "Shells", show: ({ workspace }) => <Shells of={workspace} /> },
  { path: "services", name: "Services", show: ({ workspace }) => <Services of={workspace} /> },
  { path: "files", name: "Files", show: ({ workspace }) => <Files of={workspace} />, wakes: true },
  { path: "network", name: "Network", show: ({ workspace }) => <Network of={workspace} /> },
  { path: "tree", name: "Snapshots", show: ({ workspace }) => <Tree of={workspace} /> }
]

/** States with a microVM, or on the way to one. */
const withoutMemory: ReadonlySet<string> = new Set(["paused", "stopped", "failed"])

const Facts = ({ of: { cpuPercent, memoryBytes, workspace } }: { readonly of: Seen }) => (
  <dl className="facts-of">
    <div>
      <dt>Environment</dt>
      <dd>
        <Text of={workspace.environment} />
      </dd>
    </div>
    <div>
      <dt>CPU</dt>
      <dd>
        {cpuPercent === undefined
          ? `${workspace.vcpuCount} virtual`
          : `${Math.round(cpuPercent)} % of ${workspace.vcpuCount}`}
      </dd>
    </div>
    <div>
      <dt>Memory</dt>
      <dd>
        {withoutMemory.has(workspace.state)
          ? `none now, ${workspace.memoryMib} MiB when it runs`
          : memoryBytes === undefined
          ? `${workspace.memoryMib} MiB`
          : `${bytesText(memoryBytes)} of ${workspace.memoryMib} MiB`}
      </dd>
    </div>
    <div>
      <dt>Disk</dt>
      <dd>{bytesText(workspace.diskUsedBytes ?? 0)}</dd>
    </div>
    <div>
      <dt>Network</dt>
      <dd>{workspace.network === undefined ? "unknown" : <Text of={policyText(workspace.network)} />}</dd>
    </div>
    <div>
      <dt>Ports</dt>
      <dd>
        <Ports of={workspace.ports ?? []} />
      </dd>
    </div>
    <div>
      <dt>Project</dt>
      <dd>
        <Text of={workspace.project ?? workspace.seedPath ?? "none"} />
      </dd>
    </div>
    {workspace.sshConnections === undefined ? null : (
      <div>
        <dt>SSH</dt>
        <dd>{workspace.sshConnections} open</dd>
      </div>
    )}
    {workspace.sshAgent === undefined ? null : (
      <div>
        <dt>SSH agent</dt>
        <dd>
          lent for <Text of={workspace.sshAgent.hosts.join(", ")} />
          {workspace.sshAgent.ask ? ", asks first" : ""}
          {workspace.sshAgent.detail === undefined ? null : (
            <>
              : <Text of={workspace.sshAgent.detail} />
            </>
          )}
        </dd>
      </div>
    )}
    {workspace.expiresAt === undefined ? null : (
      <div>
        <dt>Expires</dt>
        <dd>{new Date(workspace.expiresAt).toLocaleString()}</dd>
      </div>
    )}
    {workspace.forkedFrom === undefined ? null : (
      <div>
        <dt>Fork of</dt>
        <dd>
          <Link to={pathOf(workspace.forkedFrom)}>{workspace.forkedFrom}</Link>
        </dd>
      </div>
    )}
  </dl>
)

/** One workspace: what it is, its steps, and one of its views. */
export const WorkspacePage = ({ id, view }: { readonly id: string; readonly view: string }) => {
  const seen = useWorkspace(id)
  const shown = views.find(({ path }) => path === view)
  const name = typeof seen === "object" ? nameText(seen.workspace.name ?? seen.workspace.id) : nameText(id)
  useEffect(() => {
    document.title = `${name}${view === "" ? "" : `, ${view}`} · pyro`
  }, [name, view])
  if (seen === "loading") {
    return (
      <main id="main" tabIndex={-1}>
        <h1>{name}</h1>
        <p className="faint">Loading…</p>
      </main>
    )
  }
  if (seen === undefined || shown === undefined) {
    return (
      <main id="main" tabIndex={-1}>
        <h1>{seen === undefined ? `No workspace ${name}` : "No such view"}</h1>
        <p>
          {seen === undefined ? "It was deleted, or never existed. " : null}
          <Link to="/">All workspaces</Link>
        </p>
      </main>
    )
  }
  const { workspace } = seen
  return (
    <main id="main" tabIndex={-1}>
      <div className="heading">
        <h1>
          <Text of={workspace.name ?? workspace.id} />
        </h1>
        <State of={workspace} />
        <span className="faint mono">{workspace.id}</span>
        <span role="status">
          {workspace.pendingExports === undefined
            ? null
            : view === "review"
            ? <span className="unseen">an export waits</span>
            : <Link to={pathOf(id, "review")} className="tag bad">an export waits</Link>}
        </span>
      </div>
      {workspace.detail === undefined ? null : (
        <p className="detail">
          <Message of={workspace.detail} />
        </p>
      )}
      <WaitingLogins of={workspace} />
      <Facts of={seen} />
      <Actions of={workspace} />
      <nav aria-label="Views of the workspace" className="tabs">
        {views.map(({ name, path }) => (
          <Link key={path} to={pathOf(id, path)} aria-current={path === view ? "page" : undefined}>{name}</Link>
        ))}
      </nav>
      <Boundary key={view}>
        {shown.wakes === true && workspace.state === "paused"
          ? <p className="empty">The workspace is paused. Resume it to read its files.</p>
          : shown.show(seen)}
      </Boundary>
    </main>
  )
}
