import { Result } from "effect"
import { at, changed, endOfLine, type Format, isTable, withEndOfLine } from "./document.ts"
import { isMap, isScalar, parseDocument, stringifyYaml } from "./parsers.ts"

/** YAML. Only the text of pyro's own key changes; comments inside it stay. */
export const yaml: Format = {
  parse: (text) => {
    const document = parseDocument(text)
    const [error] = document.errors
    return error === undefined
      ? Result.succeed((document.toJS() as unknown) ?? {})
      : Result.fail(`it is no YAML (${error.message.split("\n")[0]?.replace(/:$/, "")})`)
  },
  change: (text, value, change) => {
    const eol = endOfLine(text)
    const [section, key, ...rest] = change.path
    const lf = withEndOfLine(text, "\n")
    if (key === undefined) return withEndOfLine(withoutKey(lf, section), eol)
    const changedValue = at(changed(value, change), [section, key])
    return withEndOfLine(changedText(lf, { section, key, rest, changedValue, change }), eol)
  }
}

interface Wanted {
  readonly section: string
  readonly key: string
  readonly rest: ReadonlyArray<string>
  /** Value of the key after the change. */
  readonly changedValue: unknown
  readonly change: { readonly _tag: string; readonly value?: unknown }
}

const options = { lineWidth: 0 } as const

const changedText = (text: string, { change, changedValue, key, rest, section }: Wanted): string => {
  const document = parseDocument(text)
  const map = document.get(section)
  const block = isMap(map) && map.flow !== true && map.range ? map : undefined
  const pair = block?.items.find((one) => isScalar(one.key) && one.key.value === key)
  if (isMap(map) && map.flow === true && map.range) return flowText(text, map, key, changedValue)
  if (block === undefined || block.items.length === 0) {
    if (changedValue === undefined) return text
    const { contents } = document
    if (isMap(contents) && contents.flow === true && contents.range) {
      return flowText(text, contents, section, { [key]: changedValue })
    }
    if (document.has(section)) {
      if (at(document.toJS(), [section]) === null) document.set(section, { [key]: changedValue })
      return document.toString(options)
    }
    const before = text.trimEnd()
    return `${before === "" ? "" : `${before}\n`}${stringifyYaml({ [section]: { [key]: changedValue } }, options)}`
  }
  const first = block.items[0]!.key as { readonly range: readonly [number, number, number] }
  const indent = " ".repeat(first.range[0] - (text.lastIndexOf("\n", first.range[0] - 1) + 1))
  const indented = (yamlText: string) => yamlText.trimEnd().replace(/^(?=.)/gm, indent)
  if (pair === undefined) {
    if (changedValue === undefined) return text
    const end = contentEnd(text, block.range![1])
    return `${text.slice(0, end)}\n${indented(stringifyYaml({ [key]: changedValue }, options))}${text.slice(end)}`
  }
  const start = text.lastIndexOf("\n", (pair.key as { readonly range: readonly [number] }).range[0] - 1) + 1
  const valueRange = (pair.value as { readonly range?: readonly [number, number, number] } | null)?.range
  const end = contentEnd(text, valueRange?.[1] ?? text.indexOf("\n", start))
  if (changedValue === undefined) return text.slice(0, start) + text.slice(Math.min(text.length, end + 1))
  const ownText = text.slice(start, end).replace(new RegExp(`^${indent}`, "gm"), "")
  const own = parseDocument(ownText)
  if (change._tag === "set") {
    own.setIn([key, ...rest], isTable(change.value) ? own.createNode(change.value) : change.value)
  } else own.deleteIn([key, ...rest])
  return text.slice(0, start) +
    indented(own.toString({ ...options, indent: /^( +)\S/m.exec(ownText)?.[1]?.length ?? 2 })) + text.slice(end)
}

interface Ranged {
  readonly range?: readonly [number, number, number] | null
}

const rangeOf = (node: unknown) => (node as Ranged | null)?.range ?? undefined

const inFlow = (value: unknown): string =>
  isTable(value)
    ? `{ ${Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${inFlow(one)}`).join(", ")} }`
    : Array.isArray(value)
    ? `[${value.map(inFlow).join(", ")}]`
    : JSON.stringify(value)

/** A section in braces with another value of one key; JSON is YAML there. */
const flowText = (
  text: string,
  map: Ranged & { readonly items: ReadonlyArray<{ readonly key: unknown; readonly value: unknown }> },
  key: string,
  value: unknown
): string => {
  const member = value === undefined ? "" : `${/^[\w-]+$/.test(key) ? key : JSON.stringify(key)}: ${inFlow(value)}`
  const [from, to] = rangeOf(map)!
  const index = map.items.findIndex((one) => isScalar(one.key) && one.key.value === key)
  const endOf = (at: number) => (rangeOf(map.items[at]!.value) ?? rangeOf(map.items[at]!.key))![1]
  const startOf = (at: number) => rangeOf(map.items[at]!.key)![0]
  const splice = (start: number, end: number, by: string) => text.slice(0, start) + by + text.slice(end)
  if (index < 0) {
    return map.items.length === 0
      ? splice(from, to, `{ ${member} }`)
      : splice(endOf(map.items.length - 1), endOf(map.items.length - 1), `, ${member}`)
  }
  if (value !== undefined) return splice(startOf(index), endOf(index), member)
  if (map.items.length === 1) return splice(from, to, "{}")
  return index === 0 ? splice(startOf(0), startOf(1), "") : splice(endOf(index - 1), endOf(index), "")
}

/** Offset of the end of the last line with content before an offset. */
const contentEnd = (text: string, offset: number): number => {
  const kept = text.slice(0, offset).trimEnd().length
  const lineEnd = text.indexOf("\n", kept)
  return lineEnd < 0 ? text.length : lineEnd
}

/** Removes a key at the top of a document, with everything below it. */
const withoutKey = (text: string, key: string): string => {
  const { contents } = parseDocument(text)
  if (isMap(contents) && contents.flow === true && contents.range) return flowText(text, contents, key, undefined)
  const pair = isMap(contents) ? contents.items.find((one) => isScalar(one.key) && one.key.value === key) : undefined
  const start = (pair?.key as { readonly range?: readonly [number] } | undefined)?.range?.[0]
  const valueEnd = (pair?.value as { readonly range?: readonly [number, number] } | null | undefined)?.range?.[1]
  if (start === undefined || valueEnd === undefined) return text
  return text.slice(0, start) + text.slice(Math.min(text.length, contentEnd(text, valueEnd) + 1))
}
