import { Effect } from "effect"
import { ExportRefused } from "../../../contract/errors/errors.ts"
import { option } from "../../../contract/errors/next-step.ts"
import { holdsSecrets } from "./secret-file.ts"

/** A copy of a workspace that pyro cannot search for values, because a value may lie in pieces. */
const wholeContent = {
  root: "its files",
  disk: "its disk"
} as const

/**
 * Fails if a workspace has secrets: `content` leaves the workspace as a whole, so pyro cannot remove the values later. Each operation that takes a
 * whole disk or root out of a workspace asks here first. Operations on files search their content.
 */
export const demandNoSecrets = (
  folder: string,
  content: keyof typeof wholeContent,
  { allowSecrets = false }: { readonly allowSecrets?: boolean | undefined }
): Effect.Effect<void, ExportRefused> =>
  Effect.suspend(() =>
    allowSecrets || !holdsSecrets(folder) ? Effect.void : new ExportRefused({
      detail: `the workspace has secrets, and ${wholeContent[content]} may have their values`,
      paths: [],
      next: [option("A person can allow that", "allow_secrets", true)]
    })
  )
