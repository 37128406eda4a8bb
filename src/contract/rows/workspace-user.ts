import { Schema } from "effect"
import { defaulted } from "../text/fields.ts"
import { lazy } from "./operation.ts"

export const WorkspaceUser = lazy(() => Schema.Literals(["root", "agent"]))
export type WorkspaceUser = ReturnType<typeof WorkspaceUser>["Type"]

export const workspaceUser = () =>
  defaulted(
    WorkspaceUser().annotate({
      description: "Owner of /workspace and of its files. Commands run as this user unless they name another"
    }),
    () => "root" as const
  )
