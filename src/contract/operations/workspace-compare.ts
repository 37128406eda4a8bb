import { Schema } from "effect"
import { lazy, unary } from "../operation.ts"
import { snakeFields } from "../snake.ts"
import { differenceFields, differenceResultFields, nameStatus } from "./workspace-diff.ts"
import { comparedField } from "./workspace-field.ts"

export const ComparePayload = lazy(() =>
  Schema.Struct(snakeFields({
    from: comparedField("Id or name of a workspace, or a snapshot of it as WORKSPACE@SNAPSHOT"),
    to: comparedField("What it is compared with, named in the same way"),
    ...differenceFields("Name paths to have it in parts")
  }))
)
export type ComparePayload = ReturnType<typeof ComparePayload>["Type"]

export const CompareResult = lazy(() =>
  Schema.Struct(differenceResultFields({
    digestFor: "which names it",
    ignored: "Files that neither began with and the ignore rules keep out, whether they differ or not"
  }))
)

export const workspaceCompare = unary({
  name: "workspace.compare",
  summary: "Show what differs between two workspaces or snapshots",
  description:
    "Says what makes the /workspace of the first that of the second: a summary, what happened to each file, and a patch that " +
    "`git apply` takes on the files of the first. Each is a workspace, running or not, or a snapshot of one as WORKSPACE@SNAPSHOT. What " +
    "does not run is read in a microVM of its own that is thrown away. They need not have the same beginning; files that were " +
    "pushed later count as any other. Repositories' own .git folders are left out, and so is what neither began with and " +
    "ignore rules of their baselines or of the guests exclude, unless asked for. Nothing is changed.",
  cli: {
    path: ["workspace", "compare"],
    args: ["from", "to"],
    flags: { paths: "path" },
    extras: nameStatus,
    exits: "own",
    examples: [
      "pyro workspace compare try-1 try-2",
      "pyro workspace compare fix@green fix --stat",
      "pyro workspace compare try-1 try-2 --path src | git apply"
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
  home: "daemon",
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: ComparePayload,
  result: CompareResult
})
