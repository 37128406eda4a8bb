// Runs commands in microVMs from an Effect program: node scripts/example.mjs examples/run.ts
import { Console, Effect, Stream } from "effect"
import { pyro } from "pyro"
import { layer as LocalPyro } from "pyro/local"

/** Collected: the result when it is over. */
const collected = Effect.gen(function*() {
  const { durations, status, stdout } = yield* pyro.run.collect({
    environment: "debian:12",
    command: ["python3", "-c", "print(6 * 7)"]
  })
  yield* Console.log(`python3 printed ${stdout.trim()} and left with ${status} after ${durations.totalMs} ms`)
})

/** Streaming: events as they come; what is not consumed any more is thrown away. */
const streamed = pyro.run({ environment: "debian:12", command: ["sh", "-c", "while date; do sleep 1; done"] }).pipe(
  Stream.filter((event) => event._tag === "Output"),
  Stream.take(3),
  Stream.runForEach((event) => Console.log(`the guest's clock: ${new TextDecoder().decode(event.bytes).trim()}`))
)

/** Errors are typed: the compiler knows which there are. */
const refused = pyro.run.collect({ environment: "debian:12", command: ["no-such-program"] }).pipe(
  Effect.catchTag("CommandNotFound", (error) => Console.log(`as expected: ${error.message}`))
)

/** Interruption kills the command and its microVM, here after two seconds. */
const interrupted = pyro.run.collect({ environment: "debian:12", command: ["sleep", "infinity"] }).pipe(
  Effect.timeoutOption("2 seconds"),
  Effect.flatMap((result) => Console.log(`sleep infinity: ${result._tag}`))
)

/** Every failure has a message for people. */
const failed = (error: { readonly message: string }) =>
  Effect.sync(() => {
    console.error(error.message)
    process.exitCode = 1
  })

await collected.pipe(
  Effect.andThen(streamed),
  Effect.andThen(refused),
  Effect.andThen(interrupted),
  Effect.provide(LocalPyro),
  Effect.catch(failed),
  Effect.runPromise
)
