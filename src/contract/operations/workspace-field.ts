import { Schema } from "effect"
import { optional } from "../fields.ts"
import { lazy } from "../operation.ts"

/** A name that a person gives: never mistaken for an id, an option, or a path. */
export const WorkspaceName = lazy(() =>
  Schema.String.pipe(
    Schema.pattern(/^(?!ws-[0-9a-f]{10}$)[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, {
      message: () => "must be letters, digits, '.', '_' and '-', at most 63 of them, and no id"
    })
  )
)

/** Which workspace a request is about. */
export const workspaceField = lazy(() =>
  Schema.String.pipe(
    Schema.filter((name) => name !== "" && name.length <= 200, { message: () => "must be a workspace's id or name" }),
    Schema.annotations({ description: "Name or id of the workspace; the first digits of an id will do" })
  )
)

/** A snapshot of the workspace by its name. */
export const snapshotField = (description: string) =>
  Schema.String.pipe(
    Schema.pattern(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, {
      message: () => "must be letters, digits, '.', '_' and '-', at most 63 of them"
    }),
    Schema.annotations({ description })
  )

export const diskOnlyField = () =>
  optional(
    Schema.Boolean.annotations({ description: "Take the files alone, in a fresh microVM: nothing runs in it" })
  )

/** A workspace, or one of its snapshots. */
export const comparedField = (description: string) =>
  Schema.String.pipe(
    Schema.pattern(/^[^@]{1,200}(@[A-Za-z0-9][A-Za-z0-9._-]{0,62})?$/, {
      message: () => "must be a workspace's id or name, or WORKSPACE@SNAPSHOT"
    }),
    Schema.annotations({ description })
  )
