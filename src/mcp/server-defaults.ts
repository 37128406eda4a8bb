import { Redacted } from "effect"
import { payloadFields } from "../contract/rows/payload-fields.ts"
import { named } from "../contract/text/names.ts"
import type { Project } from "../sdk/project.ts"
import type { Argument, Fields } from "./arguments.ts"
import type { ToolRow } from "./profile.ts"

/** A call with the environment that the server was started with, where a model names none. */
export const withEnvironment = (args: ReadonlyArray<Argument>, raw: Fields, { environment }: Project): Fields =>
  environment !== undefined && args.some(({ field }) => field === "environment")
    ? { ...raw, environment: raw["environment"] ?? environment }
    : raw

const hasField = ({ payload }: ToolRow, field: string) => payloadFields(payload()).some(({ name }) => name === field)

/** Whether an operation makes a /workspace. */
const makesWorkspace = (row: ToolRow) => hasField(row, "seed_path")

/** A payload with the owner of /workspace that the server was started with, where a model names none. */
export const withWorkspaceUser = (fields: Fields, row: ToolRow, { workspaceUser }: Project): Fields =>
  workspaceUser !== undefined && makesWorkspace(row) ? { workspace_user: workspaceUser, ...fields } : fields

/** A payload with the history that the server was started with, where a model names none. A one-shot VM has no history. */
export const withGit = (fields: Fields, row: ToolRow, { git }: Project): Fields =>
  git !== undefined && hasField(row, "git") ? { git, ...fields } : fields

/** A payload with the secrets that the server was started with. A model can name none. */
export const withSecrets = (fields: Fields, row: ToolRow, { secretHttp = [], secrets = {} }: Project): Fields =>
  !makesWorkspace(row) || Object.keys(secrets).length === 0 ? fields : {
    ...fields,
    secrets: named(Object.entries(secrets).map(([key, value]) => [key, Redacted.value(value)] as const)),
    secret_http: secretHttp
  }

/** Fields that name the directory whose files are copied. */
const SOURCES = ["seed_path", "source_path"]

/**
 * A payload with the ignored files that the server was started with, beside those that a model names. They are the bound directory's:
 * no other directory has them.
 */
export const withIgnored = (fields: Fields, { includeIgnored = [], path }: Project): Fields => {
  if (includeIgnored.length === 0 || !SOURCES.some((field) => path !== undefined && fields[field] === path)) {
    return fields
  }
  const named = fields["include_ignored"] ?? []
  return Array.isArray(named) ? { ...fields, include_ignored: [...new Set([...includeIgnored, ...named])] } : fields
}
