import { type FormEvent, useEffect, useId, useRef, useState } from "react"
import { isLegal } from "../../../../src/contract/rows/operations.ts"
import type { WorkspaceInfo } from "../../../../src/contract/rows/workspace-info.ts"
import { MOST_CANDIDATES } from "../../../../src/contract/rows/workspace-try-fields.ts"
import { nameText } from "../parts/blanks.ts"
import { bytesText } from "../parts/format.ts"
import { Problem } from "../parts/problem.tsx"
import { Text } from "../parts/text.tsx"
import { emptyRequest, readPatch, refusal, type Request, type Way } from "./candidates.ts"
import { startTrial } from "./trial.ts"

/** What the person filled in, by the workspace's id: a look at another view keeps it. */
const requests = new Map<string, Request>()

const keeps = [
  ["none", "none"],
  ["best", "the best"],
  ["first-pass", "the first that passes"]
] as const

const Row = ({ at, change, isNew, of, remove }: {
  readonly of: Way
  readonly at: number
  /** The person has just added it, and writes on. */
  readonly isNew: boolean
  readonly change: (script: string) => void
  readonly remove: () => void
}) => {
  const field = useId()
  const area = useRef<HTMLTextAreaElement>(null)
  useEffect(() => {
    if (isNew) area.current?.focus()
  }, [isNew])
  return (
    <li>
      {of._tag === "command"
        ? (
          <>
            <label htmlFor={field}>{`Command ${at}`}</label>
            <textarea
              ref={area}
              id={field}
              rows={1}
              className="mono"
              value={of.script}
              spellCheck={false}
              onChange={({ target }) => change(target.value)}
            />
          </>
        )
        : (
          <span>
            {"Patch "}
            <strong>
              <Text of={of.file} />
            </strong>{" "}
            <span className="faint">{bytesText(of.patch.length)}</span>
          </span>
        )}
      <button
        type="button"
        aria-label={of._tag === "command" ? `Remove command ${at}` : `Remove patch ${nameText(of.file)}`}
        onClick={remove}
      >
        Remove
      </button>
    </li>
  )
}

/** How the candidates are judged, and which one is kept. */
const Judgement = ({ change, isRunning, of: request }: {
  readonly of: Request
  readonly isRunning: boolean
  readonly change: (part: Partial<Request>) => void
}) => {
  const id = useId()
  return (
    <fieldset disabled={isRunning}>
      <legend>Check</legend>
      <label htmlFor={id}>Command that judges each candidate by its exit status (may be empty)</label>
      <textarea
        id={id}
        rows={1}
        className="mono"
        value={request.check}
        spellCheck={false}
        onChange={({ target }) => change({ check: target.value })}
      />
      <div className="buttons">
        <label>
          {"Keep "}
          <select value={request.keep} onChange={({ target }) => change({ keep: target.value })}>
            {keeps.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
          </select>
        </label>
        <label>
          {"At most at once "}
          <input
            type="number"
            min={1}
            max={MOST_CANDIDATES}
            value={request.atOnce}
            onChange={({ target }) => change({ atOnce: target.value })}
          />
        </label>
        <label className="check">
          <input
            type="checkbox"
            checked={request.stopAtFirstPass}
            onChange={({ target }) => change({ stopAtFirstPass: target.checked })}
          />
          end the others when one passes
        </label>
      </div>
      {request.keep === "none" ? null : (
        <p className="warning">
          The kept candidate becomes the workspace. Changes and processes of the workspace during the try are lost.
        </p>
      )}
    </fieldset>
  )
}

/** What to try, how to judge and what to keep. */
export const RequestForm = ({ isRunning, of }: { readonly of: WorkspaceInfo; readonly isRunning: boolean }) => {
  const [request, setRequest] = useState(() => requests.get(of.id) ?? emptyRequest)
  const [failure, setFailure] = useState<Error>()
  const [added, setAdded] = useState<number>()
  const adding = useRef<HTMLButtonElement>(null)
  const ids = { files: useId(), says: useId() }
  // The state of the render is old when files have been read.
  const latest = () => requests.get(of.id) ?? emptyRequest
  const change = (part: Partial<Request>) => {
    const next = { ...latest(), ...part }
    requests.set(of.id, next)
    setRequest(next)
  }
  const { ways } = request
  const nextKey = () => Math.max(-1, ...latest().ways.map(({ key }) => key)) + 1
  const addFiles = async (files: ReadonlyArray<File>) => {
    setFailure(undefined)
    try {
      const read = await Promise.all(files.map(async (file) => ({ file: file.name, patch: await readPatch(file) })))
      const isBlank = (way: Way) => way._tag === "command" && way.script === ""
      const first = nextKey()
      change({
        ways: [
          ...latest().ways.filter((way) => !isBlank(way)),
          ...read.map((one, at): Way => ({ _tag: "patch", key: first + at, ...one }))
        ]
      })
    } catch (problem) {
      setFailure(problem as Error)
    }
  }
  const says = refusal(request) ?? (isLegal("workspace.try", of.state) ? undefined : "A try needs a running workspace.")
  const mayTry = says === undefined && !isRunning
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (mayTry) void startTrial(of.id, request)
  }
  return (
    <form className="request" onSubmit={submit}>
      <fieldset disabled={isRunning}>
        <legend>Candidates</legend>
        <p className="faint">
          Each candidate runs in a fork of the workspace, with its processes and services. Commands run in /workspace.
        </p>
        <ul className="ways">
          {ways.map((way, at) => (
            <Row
              key={way.key}
              of={way}
              at={at + 1}
              isNew={way.key === added}
              change={(script) =>
                change({
                  ways: ways.map((one) => one.key === way.key ? { _tag: "command", key: way.key, script } : one)
                })}
              remove={() => {
                change({ ways: ways.filter(({ key }) => key !== way.key) })
                adding.current?.focus()
              }}
            />
          ))}
        </ul>
        <div className="buttons">
          <button
            ref={adding}
            type="button"
            disabled={ways.length >= MOST_CANDIDATES}
            onClick={() => {
              const key = nextKey()
              change({ ways: [...ways, { _tag: "command", key, script: "" }] })
              setAdded(key)
            }}
          >
            Add a command
          </button>
          <label htmlFor={ids.files}>Add patch files</label>
          <input
            id={ids.files}
            type="file"
            multiple
            accept=".patch,.diff"
            onChange={({ target }) => {
              const files = [...target.files ?? []]
              // The same file can be chosen again after a change.
              target.value = ""
              void addFiles(files)
            }}
          />
        </div>
        {failure === undefined ? null : <Problem of={failure} />}
      </fieldset>
      <Judgement of={request} isRunning={isRunning} change={change} />
      <p id={ids.says} role="status" className="faint">{says}</p>
      <div className="buttons">
        <button type="submit" className="primary" disabled={!mayTry} aria-describedby={ids.says}>Try</button>
      </div>
    </form>
  )
}
