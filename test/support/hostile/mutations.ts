import { AgentMessage, encodeFrame, FIRST_CALL } from "../guest-channel/guest-wire.ts"
import { type Corpus, type Frame, onStream } from "./corpus.ts"
import type { Random } from "./random.ts"

const agentKinds = Object.values(AgentMessage).map(({ kind }) => kind)

export const encoded = ({ kind, payload, stream }: Frame) => encodeFrame(stream, kind, payload)

/** Changes what is about to be sent: frames in, pieces of the wire out. */
type Mutation = (frames: ReadonlyArray<Frame>, random: Random, corpus: Corpus) => ReadonlyArray<Buffer>

/** Puts one of the frames through `change`. */
const one =
  (change: (frame: Frame, random: Random, corpus: Corpus) => ReadonlyArray<Buffer>): Mutation =>
  (frames, random, corpus) => {
    const at = random.below(frames.length)
    return frames.flatMap((frame, index) => index === at ? change(frame, random, corpus) : [encoded(frame)])
  }

const flipBits = (bytes: Buffer, random: Random) => {
  const flipped = Buffer.from(bytes)
  for (let left = random.between(1, 8); left > 0 && flipped.length > 0; left--) {
    const at = random.below(flipped.length)
    flipped[at] = flipped[at]! ^ (1 << random.below(8))
  }
  return flipped
}

const extremes = [0, 1, 0x7f, 0x80, 0xff]

/** Numbers on the edge of their ranges, where numbers may stand. */
const overwrite = (payload: Buffer, random: Random) => {
  const changed = Buffer.from(payload)
  const width = random.pick([1, 2, 4, 8])
  if (changed.length < width) return changed
  const at = random.below(Math.min(changed.length - width, 24) + 1)
  changed.fill(random.pick(extremes), at, at + width)
  return changed
}

const withLength = (bytes: Buffer, length: number) => {
  const changed = Buffer.from(bytes)
  changed.writeUIntBE(length, 1, 3)
  return changed
}

const shuffled = <A>(list: ReadonlyArray<A>, random: Random) => {
  const left = [...list]
  return list.map(() => left.splice(random.below(left.length), 1)[0]!)
}

/** By name, for the account of what was done. */
export const mutations: Readonly<Record<string, Mutation>> = {
  bits: one((frame, random) => [flipBits(encoded(frame), random)]),
  "bits of a payload": one((frame, random) => [encoded({ ...frame, payload: flipBits(frame.payload, random) })]),
  numbers: one((frame, random) => [encoded({ ...frame, payload: overwrite(frame.payload, random) })]),
  cut: one((frame, random) => {
    const bytes = encoded(frame)
    return [bytes.subarray(0, random.below(bytes.length))]
  }),
  "payload cut": one((frame, random) => [
    encoded({ ...frame, payload: frame.payload.subarray(0, random.below(frame.payload.length + 1)) })
  ]),
  "payload longer": one((frame, random) => [
    encoded({ ...frame, payload: Buffer.concat([frame.payload, random.bytes(random.between(1, 64))]) })
  ]),
  length: one((frame, random) => [
    withLength(encoded(frame), random.pick([0, 1, random.below(100), random.below(65_536), 65_526, 65_527, 0xff_ffff]))
  ]),
  kind: one((
    frame,
    random
  ) => [encoded({ ...frame, kind: random.chance(0.7) ? random.pick(agentKinds) : random.below(256) })]),
  stream: one((frame, random) => [
    encoded({
      ...frame,
      stream: random.pick([0, 1, frame.stream + 1, frame.stream ^ FIRST_CALL, 0xffff_ffff, random.below(100)]) >>> 0
    })
  ]),
  duplicate: one((frame, random) => Array.from({ length: random.between(2, 4) }, () => encoded(frame))),
  order: (frames, random) => shuffled(frames, random).map(encoded),
  missing: one(() => []),
  splice: (frames, random, corpus) => {
    const at = random.below(frames.length)
    const from = random.below(corpus.frames.length)
    const { stream } = frames[at]!
    const others = corpus.frames.slice(from, from + random.between(1, 8)).map((frame) => onStream(frame, stream))
    return [...frames.slice(0, at), ...others, ...frames.slice(random.below(frames.length))].map(encoded)
  },
  "wrong time": one((frame, random, corpus) => [
    encoded(onStream(random.pick(corpus.frames), frame.stream)),
    encoded(frame)
  ]),
  "random payload": one((frame, random) => [encoded({ ...frame, payload: random.bytes(random.below(200)) })]),
  "random bytes": one((frame, random) => [random.bytes(random.between(1, 4_096)), encoded(frame)])
}

export const mutate: (
  frames: ReadonlyArray<Frame>,
  random: Random,
  corpus: Corpus
) => { readonly name: string; readonly pieces: ReadonlyArray<Buffer> } = (frames, random, corpus) => {
  const name = random.pick(Object.keys(mutations))
  return { name, pieces: mutations[name]!(frames, random, corpus) }
}

/** Bytes that were printed or read, and are others now. */
export const mutatedData = (random: Random, corpus: Corpus, most: number) => {
  const source = random.pick(corpus.data)
  const from = random.below(source.length + 1)
  return flipBits(source.subarray(from, from + most), random)
}
