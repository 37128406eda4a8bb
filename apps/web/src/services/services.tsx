import { useCallback, useState } from "react"
import type { ServiceInfo } from "../../../../src/contract/rows/service-fields.ts"
import type { WorkspaceInfo } from "../../../../src/contract/rows/workspace-info.ts"
import { count } from "../../../../src/contract/text/count.ts"
import { useAction } from "../live/action.ts"
import { useLoaded } from "../live/loaded.ts"
import { durationText } from "../parts/format.ts"
import { Output, type OutputPart } from "../parts/output.tsx"
import { Ports } from "../parts/ports.tsx"
import { Problem } from "../parts/problem.tsx"
import { commandText, Message, Text } from "../parts/text.tsx"
import { ask } from "../wire/calls.ts"

const running: ReadonlySet<string> = new Set(["starting", "ready", "running"])
const tones: ReadonlyMap<string, string> = new Map([["ready", "good"], ["running", "live"], ["starting", "busy"], [
  "failed",
  "bad"
]])

const Log = ({ of, workspace }: { readonly workspace: string; readonly of: ServiceInfo }) => {
  const { name } = of
  const read = useCallback(async (cursor: number, maxBytes: number): Promise<OutputPart> => {
    const { hasMore, nextCursor, output, skippedBytes, state } = await ask("workspace.service.logs", {
      workspace,
      name,
      cursor,
      maxBytes
    })
    return { text: output, next: hasMore || running.has(state) ? nextCursor : undefined, skippedBytes }
  }, [workspace, name])
  return <Output label={`Log of ${name}`} size={of.outputBytes} isRunning={running.has(of.state)} read={read} />
}

const Service = ({ of, reload, workspace }: {
  readonly workspace: string
  readonly of: ServiceInfo
  readonly reload: () => void
}) => {
  const [isOpen, setOpen] = useState(false)
  const action = useAction()
  const stop = () =>
    action.run("stop", async () => {
      await ask("workspace.service.stop", { workspace, name: of.name })
      reload()
      return `${of.name} is stopped.`
    })
  return (
    <li className="service">
      <strong>
        <Text of={of.name} />
      </strong>
      <span className={`tag ${tones.get(of.state) ?? ""}`}>{of.state}</span>
      <code>
        <Text of={commandText(of.command)} />
      </code>
      {of.readyCheck === undefined ? null : (
        <span className="faint">
          <Text of={of.readyCheck} />
        </span>
      )}
      <span className="faint">
        {`up ${durationText(of.uptimeMs)}${of.restarts === 0 ? "" : `, ${count(of.restarts, "restart")}`}`}
      </span>
      <Ports of={of.ports} />
      <span className="buttons">
        <button type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>Log</button>
        {running.has(of.state)
          ? <button type="button" disabled={action.running !== undefined} onClick={stop}>Stop</button>
          : null}
      </span>
      {of.detail === undefined ? null : (
        <p className="detail">
          <Message of={of.detail} />
        </p>
      )}
      {action.failure === undefined ? null : <Problem of={action.failure} />}
      {isOpen
        ? (
          <div className="wide">
            <Log workspace={workspace} of={of} />
          </div>
        )
        : null}
    </li>
  )
}

/** Services of a workspace with readiness, ports and logs. */
export const Services = ({ of }: { readonly of: WorkspaceInfo }) => {
  const { failure, reload, value } = useLoaded(
    `${of.id} ${JSON.stringify(of.services)} ${of.state}`,
    () => ask("workspace.service.list", { workspace: of.id })
  )
  return (
    <section aria-labelledby="services">
      <div className="heading">
        <h2 id="services">Services</h2>
        <button type="button" onClick={reload}>Look again</button>
      </div>
      {failure === undefined ? null : <Problem of={failure} retry={reload} />}
      {value?.services.length === 0
        ? <p className="empty">No services. The command line starts one: pyro service start</p>
        : null}
      <ul className="rows">
        {value?.services.map((service) => (
          <Service
            key={service.name}
            workspace={of.id}
            of={service}
            reload={reload}
          />
        ))}
      </ul>
    </section>
  )
}
