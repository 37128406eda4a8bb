import type { ExportRemark } from "../../../contract/rows/workspace-export.ts"
import { shown } from "./guest-path.ts"

const toldMost = 1_000
/** Maximum characters of remarks: a guest's names must not exceed the limit of a message. */
const charactersMost = 1024 * 1024

/** Paths with reasons for special treatment. All count, and the first ones are named. */
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
