import { Effect } from "effect"
import { payloadOf } from "../../contract/rows/payload-of.ts"
import { Pyro } from "../../contract/rows/Pyro.ts"
import { DiffPayload, type DiffResult, workspaceDiff } from "../../contract/rows/workspace-diff.ts"
import { ExportPayload, workspaceExport } from "../../contract/rows/workspace-export.ts"
import { typed } from "../../contract/text/printable.ts"
import { decode } from "../arguments/parser.ts"
import { note } from "../output/print.ts"
import { withProgress } from "../output/progress.ts"
import type { AgentPayload } from "../rows/agent.ts"
import { Terminal } from "../terminal/Terminal.ts"
import { statText } from "../views/diff.ts"

/** Shows the agent's changes on stderr, writes the patch, and deletes the workspace if no change is lost. */
export const showEnd = (workspace: string, { agent, delete: wantsDelete, patch }: AgentPayload) =>
  Effect.gen(function*() {
    const pyro = yield* Pyro
    const { size, stderrIsTerminal, writeStderr } = yield* Terminal
    const request = yield* decode(workspaceDiff.cli, DiffPayload(), { workspace, stat: true })
    const diff = yield* pyro.workspace.diff(request)
    const { cols } = yield* size
    yield* writeStderr(yield* statText(diff, { width: cols, colour: stderrIsTerminal }))
    const isWritten = patch !== undefined && hasChanges(diff) && (yield* writePatch(workspace, patch, diff))
    const isLost = hasChanges(diff) && !isWritten
    if (wantsDelete && !isLost) {
      yield* pyro.workspace.delete(payloadOf("workspace.delete", { workspaces: [workspace] }))
      return yield* note(`pyro: ${hasChanges(diff) ? "" : "no changes; "}the workspace is deleted\n`)
    }
    yield* note(nextSteps(workspace, agent, { hasChanges: hasChanges(diff), patch: isWritten ? patch : undefined }))
  })

const hasChanges = ({ summary }: DiffResult) => summary.files > 0

/** Writes exactly the diff that was shown. Returns whether the patch has all changes. */
const writePatch = (workspace: string, output: string, { digest, tooLargeCount = 0 }: DiffResult) =>
  Effect.gen(function*() {
    const pyro = yield* Pyro
    const request = yield* decode(workspaceExport.cli, ExportPayload(), {
      workspace,
      patch: true,
      output,
      ...(digest === undefined ? {} : { expect: digest })
    })
    const { executableConfig, skippedCount } = yield* withProgress(
      workspaceExport,
      request,
      pyro.workspace.export(request)
    )
    yield* note(`pyro: wrote ${output}\n`)
    return tooLargeCount === 0 && skippedCount === 0 && executableConfig.length === 0
  })

/** Commands for the person, ready to copy. */
const nextSteps = (
  workspace: string,
  agent: string,
  { hasChanges, patch }: { readonly hasChanges: boolean; readonly patch: string | undefined }
): string => {
  const lines: ReadonlyArray<readonly [command: string, purpose: string]> = [
    ...(hasChanges
      ? [
        [`pyro diff ${workspace}`, "review the changes"],
        [
          patch === undefined
            ? `pyro export ${workspace} --apply`
            : `git apply ${typed([patch])}`,
          "take them over"
        ]
      ] as const
      : []),
    [`pyro agent ${agent} --workspace ${workspace}`, "go on"],
    [`pyro delete ${workspace}`, "delete the workspace"]
  ]
  const width = Math.max(...lines.map(([command]) => command.length))
  return `${hasChanges ? "" : "pyro: no changes\n"}pyro: next\n${
    lines.map(([command, purpose]) => `  ${command.padEnd(width)}  # ${purpose}\n`).join("")
  }`
}
