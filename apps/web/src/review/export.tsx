import { useId, useState } from "react"
import type { GivenTo } from "../../../../src/contract/rows/payload-of.ts"
import type { DiffResult } from "../../../../src/contract/rows/workspace-diff.ts"
import type { ExportEvent } from "../../../../src/contract/rows/workspace-export.ts"
import type { WorkspaceInfo } from "../../../../src/contract/rows/workspace-info.ts"
import { count } from "../../../../src/contract/text/count.ts"
import { useAction } from "../live/action.ts"
import { Problem } from "../parts/problem.tsx"
import { save } from "../parts/save.ts"
import { Text } from "../parts/text.tsx"
import { perform } from "../wire/calls.ts"
import { ApplyPart } from "./apply.tsx"
import { OPTIONS, REPLACE } from "./options.ts"

/** Why this difference cannot be exported, as the export itself would say. Undefined if it can. */
const refusal = ({ digest, mountedCount = 0, summary, tooLargeCount = 0 }: DiffResult, includesIgnored: boolean) =>
  summary.files === 0
    ? "There is nothing to export. The workspace has no changes, or all of them were applied already."
    : tooLargeCount > 0
    ? `${count(tooLargeCount, "file")} of the diff ${tooLargeCount === 1 ? "is" : "are"} too large for a patch.`
    : mountedCount > 0
    ? "The guest mounted something over a changed path, so the diff is incomplete."
    : includesIgnored
    ? "An export leaves ignored files out: review the diff without them."
    : digest === undefined
    ? "The diff has no digest."
    : undefined

/** The directory of the host that the page may write in. A repository's URL is none. */
const projectOf = ({ project }: WorkspaceInfo) => project?.startsWith("/") === true ? project : undefined

/** The request for exactly the reviewed diff. `to`: the patch's file. Undefined: the diff is applied. */
const exportPayload = (
  of: WorkspaceInfo,
  diff: DiffResult,
  to: string | undefined,
  { isAllowed, overwrite }: { readonly isAllowed: boolean; readonly overwrite: boolean }
): GivenTo<"workspace.export"> => ({
  workspace: of.id,
  ...(to === undefined ? {} : { output: to }),
  patch: to !== undefined,
  apply: to === undefined,
  expect: diff.digest!,
  overwrite: to !== undefined && overwrite,
  allowExecutableConfig: isAllowed
})

/** The file of a patch in the project. */
const PatchFile = ({ isInside, output, overwrite, project, setOutput, setOverwrite }: {
  readonly project: string
  readonly output: string
  readonly setOutput: (output: string) => void
  readonly isInside: boolean
  readonly overwrite: boolean
  readonly setOverwrite: (overwrite: boolean) => void
}) => {
  const id = useId()
  return (
    <>
      <label htmlFor={id}>Patch file on this computer, in the project</label>
      <input id={id} value={output} spellCheck={false} onChange={({ target }) => setOutput(target.value)} />
      {isInside ? null : (
        <p className="warning">
          {"The page writes in the project alone: "}
          <Text of={`${project}/`} />
        </p>
      )}
      <label className="check">
        <input type="checkbox" checked={overwrite} onChange={({ target }) => setOverwrite(target.checked)} />
        {REPLACE}
      </label>
    </>
  )
}

/** Makes exactly the reviewed diff in the project, writes its patch there, or gives the patch to the browser. Says before what the export would refuse. */
export const ExportPanel = ({ compareAgain, comparedAt, diff, executable, includesIgnored, of }: {
  readonly of: WorkspaceInfo
  readonly diff: DiffResult
  /** Tells one comparison from the next, which may have the same diff. */
  readonly comparedAt: number
  readonly executable: ReadonlyMap<string, string>
  readonly includesIgnored: boolean
  /** An applied diff is part of the baseline. */
  readonly compareAgain: () => void
}) => {
  const action = useAction()
  const { failure, run, running } = action
  const project = projectOf(of)
  const name = of.name ?? of.id
  const [output, setOutput] = useState(project === undefined ? "" : `${project}/${name}.patch`)
  const [overwrite, setOverwrite] = useState(false)
  const [isAllowed, setAllowed] = useState(false)
  const ids = { says: useId(), heading: useId() }
  const refused = refusal(diff, includesIgnored)
  const needsLeave = executable.size > 0 && !isAllowed
  const says = refused ?? (needsLeave
    ? `${count(executable.size, "changed file")} may run on your computer by ${
      executable.size === 1 ? "itself" : "themselves"
    }. Look at ${executable.size === 1 ? "it" : "them"}, then allow the export.`
    : undefined)
  const mayExport = says === undefined && running === undefined
  const isInside = project !== undefined && output.startsWith(`${project}/`) && !output.includes("/../")
  const request = (to: string | undefined) => exportPayload(of, diff, to, { isAllowed, overwrite })
  const write = () =>
    run("export", async () => {
      const { bytes, output: written } = await perform("workspace.export", request(output))
      return `The reviewed diff (${count(bytes, "byte")}) is in ${written}.`
    })
  const download = () =>
    run("download", async () => {
      const pieces: Array<Uint8Array<ArrayBuffer>> = []
      await perform("workspace.export", request("-"), (event: ExportEvent) => {
        if (event._tag === "Output") pieces.push(new Uint8Array(event.bytes))
      })
      save(new Blob(pieces, { type: "text/x-patch" }), `${name}.patch`)
      return "The browser has the patch. Apply it with: git apply"
    })
  return (
    <section className="card" aria-labelledby={ids.heading}>
      <h3 id={ids.heading}>Export</h3>
      <p className="faint">
        {diff.digest === undefined || diff.summary.files === 0 ? null : (
          <>
            {"Applies or writes exactly this diff, "}
            <code title={diff.digest}>{diff.digest.slice(0, 12)}</code>
            {". pyro refuses if the workspace has changed since."}
          </>
        )}
      </p>
      {executable.size === 0 ? null : (
        <label className="check">
          <input type="checkbox" checked={isAllowed} onChange={({ target }) => setAllowed(target.checked)} />
          {"Allow files that tools of this computer run by themselves"}
        </label>
      )}
      <p
        id={ids.says}
        role="status"
        className={says === undefined ? undefined : diff.summary.files === 0 ? "faint" : "warning"}
      >
        {says}
      </p>
      {project === undefined || of.seedPath === undefined
        ? null
        : (
          <ApplyPart
            action={action}
            compareAgain={compareAgain}
            comparedAt={comparedAt}
            request={says === undefined ? request(undefined) : undefined}
          />
        )}
      {project === undefined ?
        <p className="faint">The workspace has no directory on this computer. Take the patch as a download.</p> :
        (
          <PatchFile
            project={project}
            output={output}
            setOutput={setOutput}
            isInside={isInside}
            overwrite={overwrite}
            setOverwrite={setOverwrite}
          />
        )}
      <div className="buttons">
        {project === undefined ? null : (
          <button
            type="button"
            disabled={!mayExport || !isInside}
            aria-describedby={ids.says}
            onClick={write}
          >
            {running === "export" ? "Writing…" : "Write the patch"}
          </button>
        )}
        <button type="button" disabled={!mayExport} aria-describedby={ids.says} onClick={download}>
          {running === "download" ? "Reading…" : "Download the patch"}
        </button>
      </div>
      {failure === undefined ? null : <Problem of={failure} options={OPTIONS} />}
    </section>
  )
}
