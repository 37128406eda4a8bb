import { between, defaulted } from "../text/fields.ts"

/** The largest values of the options that bound a copy between the host and a workspace. */
export const MAX_COPY = { max_mib: 16_777_216, max_entries: 1_000_000 }

/** Options that bound a copy. `larger`: what happens to a larger one. */
export const copyLimits = (larger: string) => ({
  maxMib: defaulted(
    between({ from: 1, to: MAX_COPY.max_mib, unit: "MiB", description: `Maximum content in MiB. ${larger}` }),
    () => 2048
  ),
  maxEntries: defaulted(
    between({
      from: 1,
      to: MAX_COPY.max_entries,
      unit: "entries",
      description: `Maximum number of files, directories and links. ${larger}`
    }),
    () => 100_000
  )
})
