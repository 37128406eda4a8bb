import { Effect, Mailbox, Stream } from "effect"
import type { RunInput, WindowSize } from "../contract/Pyro.ts"

interface Input {
  readonly stdin: Mailbox.Mailbox<Uint8Array>
  readonly resizes: Mailbox.Mailbox<WindowSize>
}

/** Requests that wait for their command, or came after its end: a limit against a client that never runs any. */
const MOST_INPUTS = 4096

/** Inputs of the commands that run for clients, by the id that the client gave them. */
export const makeInputs = () => {
  const inputs = new Map<string, Input>()

  const get = (id: string) =>
    Effect.suspend(() => {
      const known = inputs.get(id)
      if (known !== undefined) return Effect.succeed(known)
      return Effect.gen(function*() {
        const made: Input = {
          stdin: yield* Mailbox.make<Uint8Array>(2),
          resizes: yield* Mailbox.make<WindowSize>({ capacity: 4, strategy: "sliding" })
        }
        const oldest = inputs.size >= MOST_INPUTS ? inputs.keys().next().value : undefined
        if (oldest !== undefined) yield* end(oldest)
        inputs.set(id, made)
        return made
      })
    })

  const end = (id: string) =>
    Effect.suspend(() => {
      const input = inputs.get(id)
      inputs.delete(id)
      return input === undefined ? Effect.void : Effect.zipRight(input.stdin.shutdown, input.resizes.shutdown)
    })

  /** The input of a command about to run; forgotten when the scope closes. */
  const take = (id: string) =>
    Effect.acquireRelease(get(id), () => end(id)).pipe(
      Effect.map(({ resizes, stdin }): RunInput => ({
        stdin: Mailbox.toStream(stdin),
        resizes: Stream.orDie(Mailbox.toStream(resizes))
      }))
    )

  return {
    take,
    write: (id: string, bytes: Uint8Array) => Effect.flatMap(get(id), ({ stdin }) => Effect.asVoid(stdin.offer(bytes))),
    end: (id: string) => Effect.flatMap(get(id), ({ stdin }) => Effect.asVoid(stdin.end)),
    resize: (id: string, size: WindowSize) =>
      Effect.flatMap(get(id), ({ resizes }) => Effect.asVoid(resizes.offer(size)))
  } as const
}
