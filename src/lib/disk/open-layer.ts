import { Effect } from "effect"
import { ImageDamaged } from "../../contract/errors/errors.ts"
import { openUnfollowed } from "../../system/files/content.ts"
import { formatOf } from "./layer-format.ts"
import { openVerifiedQcow2, type Qcow2Options } from "./qcow2.ts"

/** Opens a layer that a guest has written, for links of its own file. A store has no header that a program of the host reads. */
export const openVerifiedLayer = (path: string, expected: Qcow2Options) =>
  formatOf(path) === "qcow2"
    ? openVerifiedQcow2(path, expected)
    : openUnfollowed(path).pipe(
      Effect.mapError(({ detail }) => new ImageDamaged({ path, detail: `it cannot be opened: ${detail}` }))
    )
