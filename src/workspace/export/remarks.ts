import type { ExportRemark } from "../../contract/operations/workspace-export.ts"
import { shown } from "./guest-path.ts"

const toldMost = 1_000
/** Characters of what is told: a guest's names must not make an answer larger than a message may be. */
const charactersMost = 1024 * 1024

/** Paths and why they were treated otherwise: all counted, the first of them told. */
export class Remarks {
  readonly told: Array<ExportRemark> = []
  count = 0
  #characters = 0

  add(path: string, reason: string) {
    this.count++
    if (this.told.length === toldMost || this.#characters > charactersMost) return
    const remark = { path: shown(path), reason }
    this.#characters += remark.path.length + reason.length
    this.told.push(remark)
  }
}
