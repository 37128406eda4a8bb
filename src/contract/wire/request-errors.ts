import { Effect, Option, Predicate, Schema, SchemaGetter, SchemaParser } from "effect"
import { PyroError, UnknownFailure } from "../errors/errors.ts"
import { NextStep } from "../errors/next-step.ts"
import { lazy } from "../rows/operation.ts"

/** The answer of a daemon that leaves: it did no work, so the client asks the next daemon. Only clients see it. */
export class DaemonLeaves extends Schema.TaggedError<DaemonLeaves>()("DaemonLeaves", {}) {}

/**
 * The answer to a request that is asked again by its id (`Hold`), and that the daemon does not keep any more: its time was over, or the daemon is
 * another one. The work may be done. Only clients see it.
 */
export class RequestForgotten extends Schema.TaggedError<RequestForgotten>()("RequestForgotten", {}) {}

/** Answers of a daemon that are no errors of pyro. */
export type RequestRefusal = DaemonLeaves | RequestForgotten

type RequestError = PyroError | RequestRefusal

/** Maximum characters of a text of an unknown error. */
const MAX_CHARACTERS = 4_096

/** What each error of pyro says of itself, for a client that does not know its class. */
const Described = Schema.Struct({ code: Schema.String, fact: Schema.String })
const described = Schema.decodeUnknownOption(Described)
const steps = lazy(() => Schema.decodeUnknownOption(Schema.toCodecJson(Schema.Array(NextStep))))

/** Adds the code and the fact to the JSON of an error. No class has a field of these names: they are accessors of each. */
const withDescription = (failure: RequestError, json: unknown): unknown =>
  "fact" in failure && Predicate.isObject(json) ? { ...json, code: failure.code, fact: failure.fact } : json

/** The error that a class of another version describes. */
const ofUnknown = (json: unknown) =>
  Option.map(described(json), ({ code, fact }) => {
    const next = Predicate.hasProperty(json, "next") ? Option.getOrUndefined(steps()(json.next)) : undefined
    return new UnknownFailure({
      failedAs: code.slice(0, MAX_CHARACTERS),
      detail: fact.slice(0, MAX_CHARACTERS),
      ...(next === undefined ? {} : { next })
    })
  })

/** JSON of some errors, which another version reads, too: an error that it does not know becomes `UnknownFailure`. */
const errorForm = <E extends RequestError>(classes: () => Schema.Codec<E, unknown>) => {
  const json = lazy(() => Schema.toCodecJson(classes()) as unknown as Schema.Codec<E, unknown>)
  return Schema.declare(
    (failure): failure is E => Predicate.isError(failure) && Predicate.hasProperty(failure, "_tag"),
    {
      expected: "an error of pyro",
      toCodecJson: () =>
        Schema.link<E>()(Schema.Unknown, {
          decode: SchemaGetter.transformEffect((sent, options) => {
            const read = SchemaParser.decodeUnknownEffect(json())(sent, options)
            return Effect.catch(read, (issue) =>
              Option.match(ofUnknown(sent), {
                onNone: () => Effect.fail(issue),
                onSome: (failure) => Effect.succeed(failure as E)
              }))
          }),
          encode: SchemaGetter.transformEffect((failure, options) =>
            Effect.map(
              SchemaParser.encodeUnknownEffect(json())(failure, options),
              (sent) => withDescription(failure, sent)
            )
          )
        })
    }
  )
}

/** The failure of a request. It crosses as JSON: the form of all classes is made with the first failure, not at each start. */
export const RequestError = errorForm(() => Schema.Union([PyroError, DaemonLeaves, RequestForgotten]))

/** An error of pyro outside of a request. */
export const SentError = errorForm(() => PyroError)
