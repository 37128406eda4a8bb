import { Effect } from "effect"
import { GIT_LINK } from "../../../contract/text/git-mode.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { PatchPlan } from "../../../lib/patch/apply.ts"
import { bytesOf, byteString, type Change, type Patch } from "../../../lib/patch/model/patch.ts"
import type { Pushed } from "../../../lib/seeding/model/pushed.ts"
import { yieldToEventLoop } from "../../../system/waits/effects.ts"
import { attributesFor, filesWith, type Sets, settingOf } from "../attributes.ts"
import { readContents } from "../diff/contents.ts"

const BOM = "\uFEFF"

/** How git writes a text of its objects into a file of the work tree. A byte string, or undefined for a text that has no such form. */
type Form = (text: string) => string | undefined

/** Texts with a carriage return have the form of the work tree already. */
const withCrlf: Form = (text) => text.includes("\r") ? text : text.replaceAll("\n", "\r\n")

const inUtf16 = (order: "le" | "be", mark: string): Form => (text) => {
  try {
    const characters = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytesOf(text))
    const bytes = Buffer.from(mark + characters, "utf16le")
    return (order === "be" ? bytes.swap16() : bytes).toString("latin1")
  } catch {
    return undefined
  }
}

const isEncoding = (pattern: RegExp) => settingOf("working-tree-encoding", (value) => !pattern.test(value))

/** Whether git leaves the line ends of a file as they are. */
const isNoText: Sets = (word) =>
  /^(?:-text|-crlf|binary)$/.test(word) ? true : /^!?(?:text|crlf)(?:=|$)/.test(word) ? false : undefined

/** Settings of a file, and the form that git gives to such a file. The line ends come first. UTF-16 without an order is that of x86. */
const conversions: ReadonlyArray<{ readonly sets: Sets; readonly unless?: Sets; readonly form: Form }> = [
  { sets: settingOf("eol", (value) => value !== "crlf"), unless: isNoText, form: withCrlf },
  { sets: isEncoding(/^utf-?16(?:le-bom)?$/i), form: inUtf16("le", BOM) },
  { sets: isEncoding(/^utf-?16be-bom$/i), form: inUtf16("be", BOM) },
  { sets: isEncoding(/^utf-?16le$/i), form: inUtf16("le", "") },
  { sets: isEncoding(/^utf-?16be$/i), form: inUtf16("be", "") }
]

const words = /working-tree-encoding|eol|text|crlf|binary/

/** Paths of the text files that a patch makes. */
const madeBy = ({ files }: Patch) =>
  new Set(
    files.flatMap(({ content, from, to }) =>
      from === undefined && to !== undefined && content._tag === "hunks" ? [to] : []
    )
  )

/**
 * A plan with each new text file as git writes it: with the line ends (`eol`) and in the encoding (`working-tree-encoding`, UTF-16) of the
 * attributes before the patch. Binary content, and text that has no such form, stays as it is.
 */
export const asGitWrites = (
  channel: GuestChannel,
  patch: Patch,
  plan: PatchPlan,
  { root, rules }: { readonly root: string; readonly rules: Pushed["rules"] }
) =>
  Effect.gen(function*() {
    const made = madeBy(patch)
    const texts = new Map<string, string>()
    for (const { after, path } of plan.changes) {
      const at = byteString(path)
      if (after !== undefined && after.mode !== GIT_LINK && made.has(at)) texts.set(at, byteString(after.content))
    }
    if (texts.size === 0) return plan
    const attributes = yield* attributesFor([...texts.keys()], {
      read: (paths, limits) => readContents(channel, { root, path: "" }, paths, limits),
      rules,
      words
    })
    if (attributes === undefined) return plan
    const lineEnds = new Map(plan.lineEnds)
    for (const { form, sets, unless } of conversions) {
      yield* yieldToEventLoop
      const [isSet, isUnset] = [filesWith(attributes, sets), filesWith(attributes, unless ?? (() => undefined))]
      for (const [path, text] of texts) {
        if (isSet(path) !== true || isUnset(path) !== false) continue
        const converted = form(text) ?? text
        if (form === withCrlf && converted !== text) lineEnds.set(path, "crlf")
        texts.set(path, converted)
      }
    }
    const changes = plan.changes.map((change): Change => {
      const text = texts.get(byteString(change.path))
      return text === undefined ? change : { ...change, after: { ...change.after!, content: bytesOf(text) } }
    })
    return { ...plan, changes, lineEnds }
  })
