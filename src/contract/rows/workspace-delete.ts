import { Schema } from "effect"
import { defaulted, list } from "../text/fields.ts"
import { lazy, unary } from "./operation.ts"
import { at, every, waits } from "./states.ts"
import { workspaceField } from "./workspace-field.ts"

export const DeletePayload = lazy(() =>
  Schema.Struct({
    workspaces: defaulted(
      list(workspaceField()).annotate({ description: "Ids or names of the workspaces. Default: none" }),
      () => []
    ),
    all: defaulted(Schema.Boolean.annotate({ description: "Delete every workspace" }), () => false)
  })
)
export type DeletePayload = ReturnType<typeof DeletePayload>["Type"]

export const workspaceDelete = unary({
  name: "workspace.delete",
  summary: "Delete workspaces and their files",
  description: "Ends the commands of the workspaces and removes their disks. Files that were not exported are lost.",
  cli: {
    path: ["workspace", "delete"],
    args: ["workspaces"],
    unless: { workspaces: "all" },
    confirms: "all",
    extras: { yes: { _tag: "switch", description: "Skip the question that --all asks on a terminal" } },
    exits: "own",
    examples: ["pyro delete fix other", "pyro delete --all --yes"]
  },
  mcp: {
    tool: "workspace_delete",
    profiles: ["core", "full"],
    title: "Delete workspaces",
    description: "Delete workspaces with everything in them",
    arguments: { workspaces: { name: "workspace_ids", needed: true, description: "" } },
    omits: ["names"]
  },
  states: at(every, waits),
  home: "daemon",
  annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
  payload: DeletePayload,
  result: lazy(() =>
    Schema.Struct({
      deleted: Schema.Array(Schema.String).annotate({ description: "Ids of the deleted workspaces" }),
      names: Schema.Array(Schema.String).annotate({
        description: "Their names in the same order; the id of a workspace without a name"
      })
    })
  )
})
