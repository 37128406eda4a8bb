import { Schema } from "effect"
import { defaulted } from "../../contract/text/fields.ts"

/** A switch, which is off by default. */
export const flag = (description: string) => defaulted(Schema.Boolean.annotate({ description }), () => false)
