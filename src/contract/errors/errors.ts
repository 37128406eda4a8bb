import { Schema } from "effect"
import { contentErrors } from "./content.ts"
import { ContractError, oneOfErrors } from "./contract-error.ts"
import { daemonErrors } from "./daemon.ts"
import { devContainerErrors } from "./devcontainer.ts"
import { environmentErrors } from "./environment.ts"
import { guestErrors } from "./guest.ts"
import { hostErrors } from "./host.ts"
import { imageErrors } from "./image.ts"
import { networkErrors } from "./network.ts"
import { projectErrors } from "./project.ts"
import { residentErrors } from "./resident.ts"
import { workspaceErrors } from "./workspace.ts"

export * from "./content.ts"
export * from "./daemon.ts"
export * from "./devcontainer.ts"
export * from "./environment.ts"
export * from "./guest.ts"
export * from "./host.ts"
export * from "./image.ts"
export * from "./network.ts"
export * from "./project.ts"
export * from "./resident.ts"
export * from "./workspace.ts"

/** The request is invalid. Another attempt fails as well. */
export class InvalidRequest extends ContractError<InvalidRequest>()("InvalidRequest", {
  /** JSON name of the field; empty for the whole request. */
  field: Schema.String,
  detail: Schema.String
}, {
  fact: ({ field, detail }) => field === "" ? detail : `${field}: ${detail}`
}) {}

/** The same refusal of a field by the name that the caller has given. Its steps stay. */
export const ofField = ({ detail, next }: InvalidRequest, field: string): InvalidRequest =>
  new InvalidRequest({ field, detail, next })

/** All errors of the contract. */
export const PyroError = oneOfErrors([
  InvalidRequest,
  ...contentErrors,
  ...daemonErrors,
  ...devContainerErrors,
  ...environmentErrors,
  ...guestErrors,
  ...hostErrors,
  ...imageErrors,
  ...networkErrors,
  ...projectErrors,
  ...residentErrors,
  ...workspaceErrors
])
export type PyroError = typeof PyroError.Type

/** The name of a class of errors. */
export type ErrorTag = PyroError["_tag"]

/** The errors of some classes. */
export type ErrorOf<Tag extends ErrorTag> = Extract<PyroError, { readonly _tag: Tag }>
