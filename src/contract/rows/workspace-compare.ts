import { snakeStruct } from "../text/snake.ts"
import { lazy, unary } from "./operation.ts"
import { at, readable } from "./states.ts"
import { differenceFields, differenceResult, nameStatus } from "./workspace-diff.ts"
import { comparedField } from "./workspace-field.ts"

export const ComparePayload = lazy(() =>
  snakeStruct({
    from: comparedField("Id or name of a workspace, or WORKSPACE@SNAPSHOT"),
    to: comparedField("Workspace or snapshot to compare with, in the same form"),
    ...differenceFields("For a longer patch, compare by paths")
  })
)
export type ComparePayload = ReturnType<typeof ComparePayload>["Type"]

export const CompareResult = lazy(() =>
  differenceResult({
    digestFor: "which identifies it",
    ignored: "Number of new files that ignore rules exclude, equal or not"
  })
)

export const workspaceCompare = unary({
  name: "workspace.compare",
  summary: "Show the differences between two workspaces or snapshots",
  description:
    "Shows the changes that turn the first workspace's /workspace into the second's: a summary, the changed files, and a patch for " +
    "`git apply`. Each side is a workspace, running or not, or a snapshot. pyro reads a stopped side in a temporary microVM. The two sides " +
    "need no common seed. The .git directories of repositories are left out. New files that ignore rules exclude are left out without " +
    "--include-ignored. Nothing is changed.",
  cli: {
    path: ["workspace", "compare"],
    args: ["from", "to"],
    argsOrFlags: ["paths"],
    flags: { paths: "path" },
    extras: nameStatus,
    exits: "own",
    examples: [
      "pyro compare try-1 try-2",
      "pyro compare fix@green fix --stat",
      "pyro compare try-1 try-2 src | git apply"
    ]
  },
  mcp: {
    tool: "workspace_compare",
    profiles: ["full"],
    title: "Compare workspaces",
    description: "Show what makes one workspace another, as files and a git patch",
    arguments: {
      from: { description: "Workspace id or name, or NAME@SNAPSHOT" },
      to: { description: "The other one" },
      paths: { description: "Only these files or directories" },
      stat: { description: "Without the patch" },
      include_ignored: { description: "Also what .gitignore excludes" },
      verified: { description: "Trust no times" },
      cursor: { own: "text", description: "next_cursor" }
    }
  },
  states: at(readable, { except: "A snapshot can be compared in every state of its workspace." }),
  home: "daemon",
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: ComparePayload,
  result: CompareResult
})
