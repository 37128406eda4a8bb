import { memo, useId, useState } from "react"
import type { TimelineEntry as Entry } from "../../../../src/contract/rows/workspace-timeline.ts"
import { useTimeline } from "../live/timeline.ts"
import { bytesText, clockText } from "../parts/format.ts"
import { Opener } from "../parts/opener.tsx"
import { Outcome } from "../parts/outcome.tsx"
import { Problem } from "../parts/problem.tsx"
import { commandText, Text } from "../parts/text.tsx"
import { Command } from "./command.tsx"

const kinds = ["all", "commands", "requests", "files", "network", "life"] as const
type Kinds = (typeof kinds)[number]

const crossings = new Set(["seed", "sync_push", "import", "export"])
const ofNetwork = new Set(["network", "network_policy", "port_published", "port_unpublished"])

const groupOf = (kind: string): Kinds =>
  kind === "command"
    ? "commands"
    : kind === "request"
    ? "requests"
    : crossings.has(kind)
    ? "files"
    : ofNetwork.has(kind)
    ? "network"
    : "life"

const text = (value: unknown) => typeof value === "string" ? value : ""
const number = (value: unknown) => typeof value === "number" ? value : undefined

const commandOf = ({ details, text: said }: Entry) => ({
  execId: text(details["exec_id"]),
  words: Array.isArray(details["command"]) ? commandText(details["command"].map(String)) : said,
  outcome: text(details["outcome"]) || "running",
  status: number(details["status"]),
  durationMs: number(details["duration_ms"]),
  outputBytes: number(details["output_bytes"]) ?? 0,
  client: text(details["client"])
})

const CommandEntry = ({ first, of, workspace }: {
  readonly of: Entry
  readonly workspace: string
  readonly first: boolean
}) => {
  const [isOpen, setOpen] = useState(first)
  const body = useId()
  const command = commandOf(of)
  return (
    <>
      <Opener controls={body} isOpen={isOpen} setOpen={setOpen}>
        <code className="words">
          <Text of={command.words} />
        </code>
      </Opener>
      <span className="facts">
        <Outcome of={command} />
        {command.outputBytes === 0 ? null : <span className="faint">{bytesText(command.outputBytes)}</span>}
        {command.client === "" ? null : (
          <span className="faint">
            by <Text of={command.client} />
          </span>
        )}
      </span>
      <div id={body} className="body">
        {isOpen
          ? (
            <Command
              workspace={workspace}
              execId={command.execId}
              label={command.words}
              isRunning={command.outcome === "running"}
              outputBytes={command.outputBytes}
            />
          )
          : null}
      </div>
    </>
  )
}

/** Whether a request got an error. Its outcome is the code of the error then. */
const hasFailed = ({ details, kind }: Entry) =>
  kind === "request" && !["ok", "running", "interrupted", ""].includes(text(details["outcome"]))

const EntryItem = memo(({ first, of, workspace }: {
  readonly of: Entry
  readonly workspace: string
  readonly first: boolean
}) => (
  <li className={`entry ${groupOf(of.kind)} ${text(of.details["outcome"])}`}>
    <time dateTime={of.at} title={of.at}>{clockText(of.at)}</time>
    {of.kind === "command"
      ? <CommandEntry of={of} workspace={workspace} first={first} />
      : (
        <span className="said">
          <span className="kind">{of.kind.replaceAll("_", " ")}</span>
          <span>
            {hasFailed(of) ? <span className="tag bad">failed</span> : null}
            <Text of={of.text} />
          </span>
        </span>
      )}
  </li>
))

/** What happened to a workspace, the newest first. */
export const Timeline = ({ workspace }: { readonly workspace: string }) => {
  const { entries, failure, isLoaded } = useTimeline(workspace)
  const [shown, setShown] = useState<Kinds>("all")
  const [opened] = useState(() => new URLSearchParams(location.search).get("command"))
  const fitting = entries.filter(({ kind }) => shown === "all" || groupOf(kind) === shown)
  return (
    <section aria-labelledby="timeline">
      <div className="heading">
        <h2 id="timeline">Timeline</h2>
        <label>
          <span className="unseen">Show</span>
          <select value={shown} onChange={({ target }) => setShown(target.value as Kinds)}>
            {kinds.map((kind) => <option key={kind} value={kind}>{kind}</option>)}
          </select>
        </label>
      </div>
      {failure === undefined ? null : <Problem of={failure} />}
      {isLoaded ? null : <p className="faint">Loading…</p>}
      {isLoaded && fitting.length === 0 ? <p className="empty">Nothing of this kind happened yet.</p> : null}
      <ol className="timeline" reversed>
        {fitting.toReversed().map((entry) => (
          <EntryItem
            key={entry.key}
            of={entry}
            workspace={workspace}
            first={opened !== null && entry.key === `command:${opened}`}
          />
        ))}
      </ol>
    </section>
  )
}
