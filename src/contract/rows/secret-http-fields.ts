import { Schema } from "effect"
import { list, optional, text } from "../text/fields.ts"
import { secretPresets, secretTargetOf } from "./secret-target.ts"

const items = (description: string) =>
  optional(
    list(
      text("").pipe(
        Schema.check(
          Schema.makeFilter((item) => secretTargetOf(item) !== undefined, {
            message: `must be NAME@HOST[:PORT][:HEADER] or NAME@PRESET (${Object.keys(secretPresets).join(", ")})`
          })
        )
      )
    ).pipe(
      Schema.check(Schema.makeFilter((all) => all.length <= 64, { message: "must be 64 at most" })),
      Schema.annotate({ description })
    )
  )

/** Secrets whose values stay on the host. */
export const secretHttpField = (rest: string) => ({
  secretHttp: items(
    "Secrets that only a host gets: NAME@HOST[:PORT][:HEADER] or NAME@PRESET. The guest has a placeholder in the variable NAME, " +
      `and pyro puts the value into HTTPS requests to HOST. ${rest}`
  )
})

/** Hosts that no longer get a secret. */
export const clearSecretHttpField = () => ({
  clearSecretHttp: items(
    "Hosts that no longer get a secret: NAME@HOST[:PORT] or NAME@PRESET. pyro denies requests with the placeholder until a reset. Default: none"
  )
})

/** Hosts of a workspace's secrets, in a result. */
export const secretHosts = () =>
  optional(
    Schema.Array(Schema.String).annotate({
      description:
        "Hosts that get a secret in place of its placeholder: NAME@HOST[:PORT][:HEADER]. Absent if the record cannot be read"
    })
  )
