import { Result } from "effect"
import type { Node } from "jsonc-parser"
import { at, type Change, changed, isEqual } from "./json.ts"
import { insertMember, layoutOf, removeMember, valueText } from "./jsonc-members.ts"
import type { Format } from "./language.ts"
import { placeOf } from "./lines.ts"
import { findNodeAtLocation, getNodeValue, parseJsonc, parseTree, printParseErrorCode } from "./parsers.ts"

const options = { allowTrailingComma: true }

/** JSON with comments and trailing commas. */
export const jsonc: Format = {
  parse: (text) => {
    if (text.trim() === "") return Result.succeed({})
    const errors: Parameters<typeof parseJsonc>[1] = []
    const value: unknown = parseJsonc(text, errors, options)
    const [first] = errors
    return first === undefined
      ? Result.succeed(value)
      : Result.fail(`it is no JSON (${printParseErrorCode(first.error)} at ${placeOf(text, first.offset)})`)
  },
  change: (text, value, change) => {
    if (text.trim() === "") return `${JSON.stringify(changed({}, change), undefined, 2)}\n`
    return changedText(text, parseTree(text, [], options)!, value, change)
  }
}

const changedText = (text: string, root: Node, value: unknown, change: Change): string => {
  const { path } = change
  const layout = layoutOf(text)
  const found = findNodeAtLocation(root, [...path])
  const wanted = at(changed(value, change), path)
  if (found !== undefined) {
    if (wanted === undefined) return withoutMember(text, found.parent!)
    if (change._tag === "add" && found.type === "array") {
      return insertMember(text, found, layout, () => JSON.stringify(change.item))
    }
    if (change._tag === "take") {
      return withoutMember(
        text,
        (found.children ?? []).find((one) => isEqual(getNodeValue(one), change.item))!
      )
    }
    const indent = /^[ \t]*/.exec(text.slice(text.lastIndexOf("\n", found.offset) + 1))![0]
    return text.slice(0, found.offset) + valueText(wanted, layout, indent) + text.slice(found.offset + found.length)
  }
  // The nearest table above the value gets one key, with the tables between.
  let depth = path.length - 1
  while (findNodeAtLocation(root, path.slice(0, depth)) === undefined) depth -= 1
  const inner = path.slice(depth + 1).reduceRight<unknown>((rest, key) => ({ [key]: rest }), wanted)
  const container = findNodeAtLocation(root, path.slice(0, depth))!
  return insertMember(
    text,
    container,
    layout,
    (indent) => `${JSON.stringify(path[depth])}: ${valueText(inner, layout, indent)}`
  )
}

const withoutMember = (text: string, member: Node): string =>
  removeMember(text, member.parent!, member.parent!.children!.indexOf(member))
