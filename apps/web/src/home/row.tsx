import { memo } from "react"
import { policyText } from "../../../../src/contract/rows/network-text.ts"
import { typed } from "../../../../src/contract/text/printable.ts"
import { clock } from "../live/clock.ts"
import { useStore } from "../live/store.ts"
import type { Seen } from "../live/workspaces.ts"
import { nameText } from "../parts/blanks.ts"
import { ageText, bytesText } from "../parts/format.ts"
import { Outcome } from "../parts/outcome.tsx"
import { Ports } from "../parts/ports.tsx"
import { Link, pathOf } from "../parts/route.tsx"
import { State } from "../parts/state.tsx"
import { Text } from "../parts/text.tsx"

const Age = ({ since }: { readonly since: string }) => (
  <time dateTime={since} title={since}>{ageText(since, useStore(clock))}</time>
)

const projectName = (project: string) => project.split("/").filter((part) => part !== "").at(-1) ?? project

const Last = ({ of: { lastCommand, workspace } }: { readonly of: Seen }) =>
  lastCommand === undefined
    ? <span className="faint">{workspace.runningCommands > 0 ? `${workspace.runningCommands} running` : "–"}</span>
    : (
      <span className="command">
        <Outcome of={lastCommand} />
        <code className="cut">
          <Text of={typed(lastCommand.command)} />
        </code>
      </span>
    )

/** A processor's use is known after two looks, two seconds apart. */
const Cpu = ({ of: { cpuPercent, memoryBytes } }: { readonly of: Seen }) =>
  cpuPercent !== undefined
    ? `${Math.round(cpuPercent)} %`
    : memoryBytes === undefined
    ? "–"
    : <span className="faint" title="pyro measures the processor's use over two seconds">…</span>

const Labels = ({ of }: { readonly of: Readonly<Record<string, string>> }) => (
  <>
    {Object.entries(of).map(([key, value]) => (
      <span className="label" key={key}>
        <Text of={value === "" ? key : `${key}=${value}`} />
      </span>
    ))}
  </>
)

/** A workspace in the list. It renders again only when the workspace changes. */
export const WorkspaceRow = memo(({ of }: { readonly of: Seen }) => {
  const { workspace } = of
  const project = workspace.project ?? workspace.seedPath
  return (
    <tr>
      <th scope="row">
        <Link to={pathOf(workspace.id)} className="name">
          <Text of={workspace.name ?? workspace.id} />
        </Link>
        <Labels of={workspace.labels} />
        {workspace.pendingExports === undefined ?
          null :
          <Link to={pathOf(workspace.id, "review")} className="tag bad">an export waits</Link>}
        {workspace.pendingLogins === undefined ?
          null :
          <Link to={pathOf(workspace.id)} className="tag bad">a login waits</Link>}
      </th>
      <td data-name="State">
        <State of={workspace} />
      </td>
      <td data-name="Environment">
        <Text of={workspace.environment} />
      </td>
      <td data-name="Last command" className="last">
        <Last of={of} />
      </td>
      <td data-name="CPU" className="number">
        <Cpu of={of} />
      </td>
      <td data-name="Memory" className="number">{of.memoryBytes === undefined ? "–" : bytesText(of.memoryBytes)}</td>
      <td data-name="Network">
        {workspace.network === undefined ? "–" : <Text of={policyText(workspace.network)} />}
        {of.lastDenied === undefined ? null : (
          <Link to={pathOf(workspace.id, "network")} className="tag bad">
            {"denied "}
            <Text of={of.lastDenied.host} />
          </Link>
        )}
      </td>
      <td data-name="Ports">
        <Ports of={workspace.ports ?? []} />
      </td>
      <td data-name="Project">
        {project === undefined ? "–" : (
          <span title={nameText(project)}>
            <Text of={projectName(project)} />
          </span>
        )}
      </td>
      <td data-name="Age" className="number">
        <Age since={workspace.createdAt} />
      </td>
    </tr>
  )
})
