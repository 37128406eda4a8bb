import { useEffect, useState } from "react"
import { policyText } from "../../../../src/contract/rows/network-text.ts"
import type { WorkspaceInfo } from "../../../../src/contract/rows/workspace-info.ts"
import type { NetworkRecord } from "../../../../src/contract/rows/workspace-network.ts"
import { useAction } from "../live/action.ts"
import { nameText } from "../parts/blanks.ts"
import { bytesText, clockText } from "../parts/format.ts"
import { Problem } from "../parts/problem.tsx"
import { Text } from "../parts/text.tsx"
import { ask } from "../wire/calls.ts"
import { allowOnce, closeNetwork, mayAllow, onceRuleOf, ruleOf, setPolicy } from "./policy.ts"

/** Most records of a page that is open for long. */
const MOST_RECORDS = 500

type Numbered = NetworkRecord & { readonly key: number }

/** Connections and denials of a workspace, oldest first, live. */
const useLog = (workspace: string, denied: boolean) => {
  const [state, setState] = useState<{ records: ReadonlyArray<Numbered>; isLoaded: boolean; failure?: Error }>({
    records: [],
    isLoaded: false
  })
  useEffect(() => {
    let isCurrent = true
    const going = async () => {
      let cursor: number | undefined
      let key = 0
      while (isCurrent) {
        const { entries, nextCursor } = await ask("workspace.network.log", {
          workspace,
          denied,
          limit: 200,
          follow: cursor !== undefined,
          ...(cursor === undefined ? {} : { cursor })
        })
        cursor = nextCursor
        const more = entries.map((entry) => ({ ...entry, key: key++ }))
        if (isCurrent) {
          setState((before) => ({ records: [...before.records, ...more].slice(-MOST_RECORDS), isLoaded: true }))
        }
      }
    }
    setState({ records: [], isLoaded: false })
    going().catch((failure: Error) => {
      if (isCurrent) setState((before) => ({ ...before, isLoaded: true, failure }))
    })
    return () => {
      isCurrent = false
    }
  }, [workspace, denied])
  return state
}

/** Network of a workspace: its policy, what it did with each name, and rules by a press of a button. */
export const Network = ({ of }: { readonly of: WorkspaceInfo }) => {
  const [denied, setDenied] = useState(false)
  const { failure, isLoaded, records } = useLog(of.id, denied)
  const action = useAction()
  const policy = of.network
  const change = (said: string, step: () => Promise<unknown>) =>
    action.run(said, async () => {
      await step()
      return said
    })
  const onceButton = (record: Numbered) => {
    const rule = onceRuleOf(record)
    return rule === undefined || policy === undefined || policy.allowHosts.includes(rule) ? null : (
      <button
        type="button"
        disabled={action.running !== undefined}
        onClick={() => void change(`${rule} is allowed once, within ten minutes.`, () => allowOnce(of.id, rule))}
      >
        Allow once <span className="unseen">{nameText(rule)}</span>
      </button>
    )
  }
  const buttons = (record: Numbered) => {
    const rule = ruleOf(record)
    if (rule === undefined || policy === undefined) return null
    return record.outcome === "denied"
      ? mayAllow(policy) && !policy.allowHosts.includes(rule)
        ? (
          <button
            type="button"
            disabled={action.running !== undefined}
            onClick={() => void change(`${rule} is allowed.`, () => setPolicy(of.id, policy, { allowHosts: [rule] }))}
          >
            Allow <span className="unseen">{nameText(rule)}</span>
          </button>
        )
        : null
      : policy.networkPolicy !== "off" && !policy.denyHosts.includes(rule)
      ? (
        <button
          type="button"
          disabled={action.running !== undefined}
          onClick={() => void change(`${rule} is denied.`, () => setPolicy(of.id, policy, { denyHosts: [rule] }))}
        >
          Deny <span className="unseen">{nameText(rule)}</span>
        </button>
      )
      : null
  }
  return (
    <section aria-labelledby="network">
      <div className="heading">
        <h2 id="network">Network</h2>
        <p>{policy === undefined ? "unknown" : <Text of={policyText(policy)} />}</p>
        {policy === undefined || policy.networkPolicy === "off"
          ? null
          : (
            <button
              type="button"
              disabled={action.running !== undefined}
              onClick={() => void change("The network is off.", () => closeNetwork(of.id))}
            >
              Turn off
            </button>
          )}
        <label className="check">
          <input type="checkbox" checked={denied} onChange={({ target }) => setDenied(target.checked)} />
          denials only
        </label>
      </div>
      {failure === undefined ? null : <Problem of={failure} />}
      {action.failure === undefined ? null : <Problem of={action.failure} />}
      {isLoaded && records.length === 0 ? <p className="empty">No connections yet.</p> : null}
      <ul className="rows">
        {records.toReversed().map((record) => (
          <li key={record.key}>
            <time dateTime={record.at} className="faint">{clockText(record.at)}</time>
            <span
              className={`tag ${record.outcome === "allowed" ? "good" : record.outcome === "denied" ? "bad" : "busy"}`}
            >
              {record.outcome}
            </span>
            <span className="mono">
              <Text of={`${record.host}${record.port === undefined ? "" : `:${record.port}`}`} />
            </span>
            <span className="faint">{`${bytesText(record.bytesOut)} out, ${bytesText(record.bytesIn)} in`}</span>
            {record.reason === undefined ? null : <Text of={record.reason} className="faint" />}
            {record.once === true ? <span className="faint">allowed once</span> : null}
            {buttons(record)}
            {onceButton(record)}
          </li>
        ))}
      </ul>
    </section>
  )
}
