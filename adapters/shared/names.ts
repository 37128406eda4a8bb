import { createHash } from "node:crypto"
import { labelOf } from "pyro/promises"

/**
 * The name of the workspace that a framework knows by an id of its own, so that another process finds the workspace again. An id that is no
 * name of pyro, such as a URI, becomes its digest.
 */
export const nameOf = (prefix: string, id: string): string => {
  const name = `${prefix}-${id}`
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name)
    ? name
    : `${prefix}-${createHash("sha256").update(id).digest("hex").slice(0, 40)}`
}

/** Metadata of a framework as labels. Values that are no text become JSON. */
export const labelsOf = (metadata: Readonly<Record<string, unknown>> = {}): Record<string, string> =>
  Object.fromEntries(
    Object.entries(metadata).filter(([, value]) => value !== undefined).map(([key, value]) => [
      key,
      labelOf(typeof value === "string" ? value : String(JSON.stringify(value)))
    ])
  )
