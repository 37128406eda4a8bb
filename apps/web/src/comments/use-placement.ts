import { useEffect, useState } from "react"
import { useStore } from "../live/store.ts"
import type { PatchPart } from "../review/patch.ts"
import { commentsOn } from "./kept.ts"
import { placed, type Placement } from "./placement.ts"

const nothing: Placement = { byPath: new Map(), gone: [] }

/** The comments on a workspace in a diff, as the person writes them. */
export const usePlacement = (
  workspace: string,
  files: ReadonlyArray<{ readonly path: string }>,
  parts: ReadonlyMap<string, PatchPart>
): Placement => {
  const { comments } = useStore(commentsOn(workspace))
  const [placement, setPlacement] = useState(nothing)
  useEffect(() => {
    let isCurrent = true
    void placed(comments, files, parts).then((found) => {
      if (isCurrent) setPlacement(found)
    })
    return () => {
      isCurrent = false
    }
  }, [comments, files, parts])
  return placement
}
