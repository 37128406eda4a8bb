import type { Instruction } from "./instructions.ts"
import { BUILTIN, replaced, type Values } from "./variables.ts"

/** An image that a Dockerfile names. */
export interface NamedText {
  /** As the builder reads it. `undefined`: unknown before the build. */
  readonly image: string | undefined
  /** As it is written. */
  readonly written: string
  readonly line: number
}

/** Options of a build that choose parts of a Dockerfile. */
export interface BuildOptions {
  /** Values of ARG. @default none */
  readonly arguments?: Readonly<Record<string, string>>
  /** Stage to build. @default the last one */
  readonly target?: string | undefined
}

interface Stage {
  /** In lower case. Without a name: its number. */
  readonly names: ReadonlyArray<string>
  readonly images: Array<NamedText>
  /** Names of the stages that it begins with or copies from. */
  readonly needs: Array<string>
  /** What it begins with: the name of a stage, or an image. Absent: neither, or unknown. */
  base: { readonly stage: string } | { readonly image: string } | undefined
  /** Values of ARG since its FROM. */
  readonly values: Map<string, string | undefined>
}

/** Sets the variables of one ARG. */
const declare = (
  { words }: Instruction,
  into: Map<string, string | undefined>,
  { absent, given, outer }: {
    /** Values of the person. */
    readonly given: Readonly<Record<string, string>>
    /** Values that ARG without a value takes. */
    readonly outer: Values
    /** Value of a variable that is not declared: in a stage, ENV of an image may have it. */
    readonly absent: string | undefined
  }
) => {
  for (const word of words) {
    const at = word.indexOf("=")
    const name = at === -1 ? word : word.slice(0, at)
    if (Object.hasOwn(given, name)) into.set(name, BUILTIN.has(name) ? undefined : given[name])
    else if (BUILTIN.has(name)) into.set(name, BUILTIN.get(name))
    else if (at !== -1) into.set(name, replaced(word.slice(at + 1), into, absent))
    else if (outer.has(name)) into.set(name, outer.get(name))
  }
}

const fromsOf = ({ flags, keyword }: Instruction): ReadonlyArray<string> =>
  keyword === "COPY"
    ? flags.filter((flag) => flag.startsWith("--from=")).map((flag) => flag.slice("--from=".length))
    : flags.filter((flag) => flag.startsWith("--mount=")).flatMap((flag) =>
      flag.slice("--mount=".length).split(",").filter((part) => part.startsWith("from=")).map((part) => part.slice(5))
    )

/** The stages of a Dockerfile, as buildah divides it. */
const stagesOf = (
  instructions: ReadonlyArray<Instruction>,
  given: Readonly<Record<string, string>>
): ReadonlyArray<Stage> => {
  const heading = new Map<string, string | undefined>()
  const stages: Array<Stage> = []
  /** Names of the stages that are complete: only these hide an image of their name. */
  const complete = new Set<string>()
  const use = (stage: Stage, written: string, line: number, values: Values) => {
    const image = replaced(written, values)
    if (image === "scratch") return undefined
    if (image !== undefined && complete.has(image.toLowerCase())) {
      stage.needs.push(image.toLowerCase())
      return { stage: image.toLowerCase() }
    }
    stage.images.push({ image, written, line })
    return image === undefined ? undefined : { image }
  }
  for (const one of instructions) {
    const stage = stages.at(-1)
    if (one.keyword === "FROM") {
      for (const name of stage?.names ?? []) complete.add(name)
      const [base = "", as, name] = one.words
      const values = new Map([...BUILTIN, ...heading])
      const own = /^as$/i.test(as ?? "") && name !== undefined ? replaced(name, values) : undefined
      const names = [String(stages.length), ...own === undefined ? [] : [own.toLowerCase()]]
      const begun: Stage = { names, images: [], needs: [], base: undefined, values: new Map() }
      begun.base = use(begun, base, one.line, values)
      stages.push(begun)
    } else if (one.keyword === "ARG") {
      declare(one, stage?.values ?? heading, { given, outer: heading, absent: stage === undefined ? "" : undefined })
    } else if (stage !== undefined) {
      for (const from of fromsOf(one)) use(stage, from, one.line, stage.values)
    }
  }
  return stages
}

const named = (stages: ReadonlyArray<Stage>): ReadonlyMap<string, ReadonlyArray<Stage>> => {
  const byName = new Map<string, Array<Stage>>()
  for (const stage of stages) {
    for (const name of stage.names) byName.set(name, [...byName.get(name) ?? [], stage])
  }
  return byName
}

const targets = (stages: ReadonlyArray<Stage>, target: string | undefined): ReadonlyArray<Stage> =>
  target === undefined ? stages.slice(-1) : named(stages).get(target.toLowerCase()) ?? []

/** The stages that the builder builds for one: the target, and what it needs. The builder refuses an unknown target. */
const built = (stages: ReadonlyArray<Stage>, target: string | undefined): ReadonlyArray<Stage> => {
  const byName = named(stages)
  const needed = new Set(targets(stages, target))
  for (const { needs } of needed) {
    for (const name of needs) for (const stage of byName.get(name) ?? []) needed.add(stage)
  }
  return stages.filter((stage) => needed.has(stage))
}

/** The image that the target begins with, through the stages between. A stage needs only what stands before it. */
const rootOf = (stages: ReadonlyArray<Stage>, target: string | undefined): string | undefined => {
  const byName = named(stages)
  let stage = targets(stages, target)[0]
  const seen = new Set<Stage>()
  while (stage !== undefined && !seen.has(stage)) {
    seen.add(stage)
    const { base } = stage
    if (base === undefined) return undefined
    if ("image" in base) return base.image
    stage = byName.get(base.stage)?.[0]
  }
  return undefined
}

/** The images that the builder fetches for a Dockerfile, and the one that the target begins with, as the builder reads it. */
export const imagesOf = (
  instructions: ReadonlyArray<Instruction>,
  { arguments: given = {}, target }: BuildOptions
): { readonly images: ReadonlyArray<NamedText>; readonly root: string | undefined } => {
  const stages = stagesOf(instructions, given)
  return { images: built(stages, target).flatMap(({ images }) => images), root: rootOf(stages, target) }
}
