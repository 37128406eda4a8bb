import type { CliSurface } from "../../contract/rows/operation.ts"
import { named } from "../../contract/text/names.ts"

/** The typed fields with full paths of the host. */
export const withPaths = (
  { hostPaths = [] }: Pick<CliSurface, "hostPaths">,
  raw: Readonly<Record<string, unknown>>,
  resolvePath: (path: string) => string
): Readonly<Record<string, unknown>> => {
  const resolved = hostPaths.flatMap((name) => {
    const path = raw[name]
    return typeof path === "string" ? [[name, resolvePath(path)] as const] : []
  })
  return named<unknown>([...Object.entries(raw), ...resolved])
}
